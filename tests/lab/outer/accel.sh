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

# accel_tsc: sets TSC_KHZ, to tell the host VM under TCG (see tsc.c); "" where
# there is no compiler.
accel_tsc() {
	local cache

	TSC_KHZ=
	cache=$LAB_BUILD/tsc-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -e "$cache" ]; then
		cc -O2 -o "$cache.prog" "$LAB_DIR/outer/tsc.c" || return 0
		"$cache.prog" >"$cache.$$" && mv "$cache.$$" "$cache"
	fi
	read -r TSC_KHZ <"$cache"
}

# accel_time_scale: sets LAB_TIME_SCALE, by which all limits in the VMs are
# multiplied: they must hold on a machine that has other things to do as well.
accel_time_scale() {
	local load

	read -r load _ </proc/loadavg
	LAB_TIME_SCALE=$((1 + ${load%.*} / $(nproc)))
	[ "$ACCEL" != tcg ] || LAB_TIME_SCALE=$((LAB_TIME_SCALE + 1))
	[ $LAB_TIME_SCALE -le 8 ] || LAB_TIME_SCALE=8
}

# Where KVM works this takes some seconds, so the time limit is short.
_accel_probe() {
	echo "# probing whether KVM works here" >&2
	"$LAB_DIR/run" --accel kvm --time-scale 1 --boot-timeout 25 --timeout 60 \
		--results "$LAB_BUILD/accel-probe" "$LAB_DIR/outer/probe.sh" \
		>/dev/null 2>&1
}
