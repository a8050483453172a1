#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The modules build for both kernels without a word from the compiler or from
# kbuild, with the kernel's extra warnings on.
set -u
. "$(dirname "$0")/../lib/static.sh"

# Debian's header packages come without a vmlinux
quiet_build()
{
	make_modules "$1" |
		grep -v '^Skipping BTF generation .* unavailability of vmlinux$'
	return "${PIPESTATUS[0]}"
}

for release in $(kernels); do
	ktap_silent "W=1 $release" quiet_build "$release"
done
ktap_exit
