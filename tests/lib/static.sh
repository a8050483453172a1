# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the static tests share: the files to look at, the kernels to build for,
# and the kernel's own scripts. A test sources this, and runs at the top.

cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. tests/lib/ktap.sh

KERNEL_SCRIPTS=$PWD/build/kernel-scripts

# PATTERN...: files of the tree, those not yet committed too
source_files()
{
	local file

	if [ -e .git ]; then
		git ls-files -co --exclude-standard -- "$@"
	else
		find . -path ./build -prune -o -type f -print | sed 's|^\./||' |
			while read -r file; do
				for pattern; do
					# shellcheck disable=SC2053
					[[ $file == $pattern ]] && echo "$file"
				done
			done
	fi | while read -r file; do
		[ ! -f "$file" ] || echo "$file"
	done | sort -u
}

# Files of shell, by name or by their first line
shell_files()
{
	local file line

	source_files '*' | while read -r file; do
		IFS= read -r line <"$file" 2>/dev/null || continue
		case $file:$line in
		*.sh:* | *:'#!/bin/sh'* | *:'#!/bin/bash'* | *:'#!/usr/bin/env bash'*)
			echo "$file"
			;;
		esac
	done
}

kernels()
{
	make -s kernels
}

# Takes checkpatch and kernel-doc out of Debian's source package.
kernel_scripts()
{
	local tar=/usr/src/linux-source-6.12.tar.xz

	[ "$KERNEL_SCRIPTS/checkpatch.pl" -nt "$tar" ] && return
	mkdir -p "$KERNEL_SCRIPTS"
	tar -C "$KERNEL_SCRIPTS" -xmf "$tar" --strip-components=2 --occurrence=1 \
		linux-source-6.12/scripts/{checkpatch.pl,const_structs.checkpatch,kernel-doc,spelling.txt}
}

# RELEASE [WORD]: makes the modules with the kernel's extra warnings on, which
# are errors; the tests share what is built. WORD is more for kbuild.
make_modules()
{
	make -s -j"$(nproc)" KVER="$1" modules CONFIG_PVBUS_TESTS=m \
		KFLAGS="W=1 KCFLAGS=-Werror ${2-}" 2>&1
}
