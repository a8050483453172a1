#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Each public header compiles alone, for user space, with either compiler.
set -u
. "$(dirname "$0")/../lib/static.sh"

# COMPILER
check()
{
	local header status=0

	while read -r header; do
		"$1" -std=gnu11 -Wall -Wextra -Iinclude/uapi -Iinclude \
			-fsyntax-only -x c -include "$header" /dev/null ||
			status=1
	done < <(source_files 'include/uapi/*.h' include/pvbus/ring.h \
		include/pvbus/user.h)
	return "$status"
}

for compiler in gcc clang; do
	ktap_silent "headers $compiler" check "$compiler"
done
ktap_exit
