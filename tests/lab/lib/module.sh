# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Modules under test, and udev for the tests that need modules to load by
# themselves.

# In an order in which they can be unloaded: users first.
LAB_MODULES="pvblk pvnet pvbus_broken pvbus_loop pvbus pvbus_host"

# lab_insmod NAME[.ko] [PARAM=VALUE...]: loads a module of this project built
# for the running kernel, after the modules of the kernel that it needs.
lab_insmod() {
	local name=${1%.ko} file dep

	shift
	[ -d "/sys/module/$name" ] && return 0
	file=$REPO/build/modules/$(uname -r)/$name.ko
	if [ ! -e "$file" ]; then
		echo "lab_insmod: no $file" >&2
		return 1
	fi
	for dep in $(modinfo -F depends "$file" | tr ',' ' '); do
		[ -e "${file%/*}/$dep.ko" ] && continue
		modprobe "$dep" || return
	done
	insmod "$file" "$@"
}

# lab_rmmod NAME...: unloads those that are loaded, in the order given.
# Time-limited: a module whose exit waits for ever must not stop the run.
lab_rmmod() {
	local name status=0

	for name in "$@"; do
		[ -d "/sys/module/$name" ] || continue
		timeout 20 rmmod "$name" || status=1
	done
	return $status
}

# lab_test_module MODULE NAME [PARAM=VALUE...]: runs the tests in a module, which
# reports in the kernel's log and, when all have passed, does not load: it has
# nothing more to do. The report goes to $LAB_OUT/NAME, and what is not ok is shown.
lab_test_module() {
	local out

	kmsg_mark "test $2"
	out=$(insmod "$REPO/build/modules/$(uname -r)/$1.ko" "${@:3}" 2>&1)
	kmsg_since "test $2" | sed 's/^\[[^]]*\] //' |
		grep -e '^not ok' -e '^ok' -e '^# ' -e '^1\.\.' >"$LAB_OUT/$2"
	grep -v '^ok' "$LAB_OUT/$2"
	echo "$out"
	[[ $out = *canceled* ]]
}

# lab_unload_all: every module of this project, retried for a moment because
# the last reference may go only when a killed process is reaped.
lab_unload_all() {
	local i

	for i in 1 2 3 4 5; do
		# shellcheck disable=SC2086 # a list
		lab_rmmod $LAB_MODULES 2>/dev/null && return 0
		sleep 0.5
	done
	# shellcheck disable=SC2086
	lab_rmmod $LAB_MODULES
}

# lab_udev: starts udev, which is not there by default: it costs seconds of
# every boot, and hides what a driver does by itself.
lab_udev() {
	pidof -q systemd-udevd && return 0
	mkdir -p /run/udev
	# not --daemon, which waits three minutes for it, however slow this VM is
	setsid /lib/systemd/systemd-udevd </dev/null >/run/udev.log 2>&1 &
	within 60 udevadm control --ping || return
	udevadm trigger --action=add
	udevadm settle --timeout=$((60 * LAB_TIME_SCALE))
}
