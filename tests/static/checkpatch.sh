#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The kernel's coding style, in user space and tests too. There, what the
# kernel's own headers provide is not asked for, messages are not split, and
# words of a message may be names of functions; and a filter of system calls may
# make one unknown. What stands in for the kernel's interfaces in fuzzers has the
# forms that the kernel's has.
set -u
. "$(dirname "$0")/../lib/static.sh"

USER_SPACE=ARRAY_SIZE,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO
USER_SPACE+=,PREFER_KERNEL_TYPES,STRNCPY
USER_SPACE+=,LONG_LINE_STRING,EMBEDDED_FUNCTION_NAME,ENOSYS

# OPTION PATTERN...
check()
{
	local option=$1 files

	shift
	mapfile -t files < <(source_files "$@" | grep -v ^tests/fuzz/kernel/shim)
	[ ${#files[@]} -gt 0 ] || return 1
	printf '%s\n' "${files[@]}" |
		xargs -P "$(nproc)" -n 8 "$KERNEL_SCRIPTS/checkpatch.pl" \
			--quiet --terse --no-summary --show-types \
			"$option" -f
}

if kernel_scripts; then
	ktap_silent "checkpatch modules" check --no-fix \
		'kmod/*.[ch]' 'guest-drivers/*.[ch]' 'include/*.h'
	ktap_silent "checkpatch user space" check --ignore=$USER_SPACE \
		'userspace/*.[ch]' 'tests/*.[ch]'
else
	ktap_fail checkpatch "linux-source-6.12 has no checkpatch.pl"
fi
ktap_exit
