# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KVM or TCG for the host VM.  /dev/kvm may open, create VMs and still not
# boot a stock kernel, or not let it run guests of its own: only a guest that
# boots inside a host VM proves KVM usable.

# accel_choose: sets ACCEL, by a probe once per boot of the build machine.
accel_choose() {
	local cache

	cache=$LAB_BUILD/accel-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$cache" ]; then
		echo tcg >"$cache.$$"
		if [ -w /dev/kvm ] && _accel_probe; then
			echo kvm >"$cache.$$"
		fi
		mv "$cache.$$" "$cache"
	fi
	read -r ACCEL <"$cache"
}

# Where KVM works this takes some seconds, so the time limit is short.
_accel_probe() {
	echo "# probing whether KVM works here" >&2
	"$LAB_DIR/run" --accel kvm --boot-timeout 25 --timeout 60 \
		--results "$LAB_BUILD/accel-probe" "$LAB_DIR/outer/probe.sh" \
		>/dev/null 2>&1
}
