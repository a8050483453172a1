#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The modules use nothing of KVM's insides: newer kernels do not export it.
set -u
. "$(dirname "$0")/../lib/static.sh"

check()
{
	local release=$1 modules

	make_modules "$release" >/dev/null || return 1
	modules=("$PWD/build/modules/$release"/*.ko)
	nm -u "${modules[@]}" | grep -E ' (__)?kvm_'
	[ "${PIPESTATUS[0]}" -eq 0 ]
}

for release in $(kernels); do
	ktap_silent "no symbol of KVM $release" check "$release"
done
ktap_exit
