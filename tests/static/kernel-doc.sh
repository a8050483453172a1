#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Comments in kernel-doc's form agree with the code behind them.
set -u
. "$(dirname "$0")/../lib/static.sh"

check()
{
	local files

	mapfile -t files < <(source_files 'kmod/*.[ch]' 'guest-drivers/*.[ch]' \
		'include/*.h' 'userspace/*.[ch]' 'tests/*.[ch]')
	[ ${#files[@]} -gt 0 ] || return 1
	"$KERNEL_SCRIPTS/kernel-doc" -none "${files[@]}"
}

if kernel_scripts; then
	ktap_silent kernel-doc check
else
	ktap_fail kernel-doc "linux-source-6.12 has no kernel-doc"
fi
ktap_exit
