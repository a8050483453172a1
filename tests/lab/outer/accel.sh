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

# accel_tcg_helpers: what makes up for weaknesses of TCG; without a compiler it
# has to do without.  Sets TSC_KHZ, which the host VM is told (tsc.c), and
# LAB_KVM_ANCHOR, a program that it runs (kvm_anchor.c).
accel_tcg_helpers() {
	TSC_KHZ='' LAB_KVM_ANCHOR=''
	[ "$ACCEL" = tcg ] || return
	_accel_build tsc && TSC_KHZ=$("$LAB_BUILD/tools/tsc")
	_accel_build kvm_anchor && LAB_KVM_ANCHOR=$LAB_BUILD/tools/kvm_anchor
}

_accel_build() {
	local source=$LAB_DIR/outer/$1.c tool=$LAB_BUILD/tools/$1

	[ "$tool" -nt "$source" ] && return
	mkdir -p "$LAB_BUILD/tools"
	# Two runs may do this at the same time.
	cc -O2 -Wall -o "$tool.$$" "$source" && mv "$tool.$$" "$tool"
}

# accel_time_scale: sets LAB_TIME_SCALE, by which all limits in the VMs are
# multiplied: they must hold on a machine that has other things to do as well.
accel_time_scale() {
	local load

	read -r load _ </proc/loadavg
	LAB_TIME_SCALE=$((1 + ${load%.*} / $(nproc)))
	[ "$ACCEL" != tcg ] || LAB_TIME_SCALE=$((LAB_TIME_SCALE + 1))
	[ $LAB_TIME_SCALE -le 8 ] || LAB_TIME_SCALE=8
	# a kernel that looks at all it does takes its time
	[[ $HOST_RELEASE$GUEST_RELEASE != *-debug* ]] || LAB_TIME_SCALE=$((LAB_TIME_SCALE * 3))
}

# Where KVM works this takes some seconds, so the time limit is short.
_accel_probe() {
	echo "# probing whether KVM works here" >&2
	"$LAB_DIR/run" --accel kvm --time-scale 1 --boot-timeout 25 --timeout 60 \
		--results "$LAB_BUILD/accel-probe" "$LAB_DIR/outer/probe.sh" \
		>/dev/null 2>&1
}
