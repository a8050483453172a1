#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What a program says of itself and what its manual page says agree: each
# option of the one is in the other.
set -u
. "$(dirname "$0")/../lib/static.sh"

long_options()
{
	grep -oE -- '(^|[^-[:alnum:]])--[a-z][a-z0-9-]*' |
		sed 's/^[^-]//' | sort -u
}

# words at the beginning of indented lines: commands
commands()
{
	sed -nE 's/^ +([a-z][a-z-]+)( .*)?$/\1/p' | sort -u
}

page_text()
{
	mandoc -T ascii "$1" | sed 's/.\x08//g'
}

# NAME: its program, wherever tools were built
program_of()
{
	find build userspace -name "$1" -type f -perm -u+x -print | head -n 1
}

# PROGRAM PAGE
same_options()
{
	diff <("$1" --help | long_options) <(page_text "$2" | long_options)
}

# PROGRAM PAGE: a program with commands only
same_commands()
{
	local command

	"$1" --help | commands | while read -r command; do
		page_text "$2" | grep -qwE -- "$command" ||
			echo "$command is not in $2"
	done
}

refuses()
{
	! "$1" --no-such-option >/dev/null 2>&1
}

make -s tools >/dev/null 2>&1
for page in Documentation/man/*.[18]; do
	[ -e "$page" ] || continue
	name=${page##*/}
	name=${name%.*}
	program=$(program_of "$name")
	if [ -z "$program" ]; then
		ktap_fail "$name" "there is $page, but no program"
		continue
	fi
	ktap_succeeds "$name: --help succeeds" "$program" --help
	ktap_silent "$name: options of --help and manual page" \
		same_options "$program" "$page"
	ktap_silent "$name: words of --help are in the manual page" \
		same_commands "$program" "$page"
	ktap_silent "$name: refuses an unknown option" refuses "$program"
done
ktap_exit
