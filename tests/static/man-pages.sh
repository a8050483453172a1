#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The manual pages are well-formed, for mandoc and for groff.
set -u
. "$(dirname "$0")/../lib/static.sh"

mapfile -t pages < <(source_files 'Documentation/man/*.[1-8]')

lint()
{
	[ ${#pages[@]} -gt 0 ] && mandoc -T lint -W warning "${pages[@]}"
}

render()
{
	local page

	for page in "${pages[@]}"; do
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z \
			"$page" >/dev/null
	done
}

ktap_silent "mandoc" lint
ktap_silent "man" render
ktap_exit
