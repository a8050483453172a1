#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Every file names its licence, save those that hold nothing but data or the
# licence itself.
set -u
. "$(dirname "$0")/../lib/static.sh"

check()
{
	local file

	source_files '*' | while read -r file; do
		case $file in
		COPYING | .gitignore | *.md | *.png | *.svg | *.json) continue ;;
		# descriptions in the kernel's format, which has no comments
		Documentation/ABI/*) continue ;;
		esac
		head -n 4 "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
			echo "$file: no SPDX-License-Identifier"
	done
}

ktap_silent spdx check
ktap_exit
