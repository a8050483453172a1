#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# User space and the tests' programs compile without a warning, with gcc and
# clang, with more warnings than they are built with.
set -u
. "$(dirname "$0")/../lib/static.sh"

FLAGS=(-std=gnu11 -O2 -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
	-Wall -Wextra -Wunused -Wformat -Wformat-security -Wvla
	-Wmissing-prototypes -Wmissing-declarations -Wold-style-definition
	-Wstrict-prototypes -Wpointer-arith -Wundef -Wcast-align
	-Wno-unused-parameter -Wno-missing-field-initializers
	-Iinclude -Iinclude/uapi -Iuserspace -Iuserspace/lib)

# COMPILER
check()
{
	local file files status=0

	mapfile -t files < <(source_files 'userspace/*.c')
	[ ${#files[@]} -gt 0 ] || return 1
	for file in "${files[@]}"; do
		"$1" "${FLAGS[@]}" -I"${file%/*}" -c -o /dev/null "$file" ||
			status=1
	done
	return "$status"
}

for compiler in gcc clang; do
	ktap_silent "user space $compiler" check "$compiler"
done
ktap_exit
