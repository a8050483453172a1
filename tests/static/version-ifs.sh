#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Only include/pvbus/compat.h knows versions of the kernel.
set -u
. "$(dirname "$0")/../lib/static.sh"

check()
{
	source_files 'kmod/*' 'guest-drivers/*' 'include/*' |
		grep -vx include/pvbus/compat.h |
		xargs grep -nE 'LINUX_VERSION_|KERNEL_VERSION\(|linux/version\.h'
	# 1: none was found
	[ "${PIPESTATUS[2]}" -eq 123 ]
}

ktap_silent version-ifs check
ktap_exit
