# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# PID 1 of the host VM: runs the scenarios one after another and judges each.
#
# Results go to the second serial port, which every kernel has, and to which
# the kernel itself prints nothing.  Lines that begin with "@lab " are for
# tests/lab/run, all others for people.  Only "@lab done" after the last
# scenario is success: whatever ends this process earlier cannot look like it.

set -u
exec </dev/null >/dev/console 2>&1
. /lab/lab.conf
. "$LAB_DIR/vm/setup.sh"
setup_system lab-host

export LAB_STATE=/run/lab
for lib in "$LAB_DIR"/lib/*.sh "$LAB_DIR/outer/emulator.sh" "$LAB_DIR"/vm/{leaks,stuck}.sh; do
	. "$lib"
done

stty -F /dev/ttyS1 raw -echo
exec 3>/dev/ttyS1
CGROUP=/sys/fs/cgroup/lab

control() {
	# The line before may lack its end.
	printf '\n@lab %s\n' "$*" >&3
}

# Under emulation the VM has one CPU until its kernel has patched its code for the
# last time, see outer/kvm_anchor.c.
load_kvm() {
	local anchor cpu

	if [ ! -e /dev/kvm ]; then
		if grep -qw svm /proc/cpuinfo; then
			modprobe kvm-amd
		else
			modprobe kvm-intel
		fi
	fi
	[ "$LAB_ACCEL" = tcg ] || return
	if [ -n "$LAB_KVM_ANCHOR" ]; then
		exec {anchor}< <("$LAB_KVM_ANCHOR")
		read -r -u "$anchor"
	fi
	shutdowns_watch
	for cpu in /sys/devices/system/cpu/cpu[1-9]*/online; do
		echo 1 >"$cpu"
	done
}

# No guest may run on the first CPU of an emulated host VM. QEMU's TCG, as of 10.0,
# keeps there whether interrupts may be taken (GIF), and whether addresses are those of
# a guest (nested paging), in one word with a flag of the x87, which any CPU clears in
# the first one's when it loads the state of its own, and without a lock. What SVM has
# written in between is undone: interrupts are taken where KVM has them off, or never
# again; or the host's state is taken for the guest's. So the first CPU is in a cpuset of
# its own, which takes it from all others and from the scheduler.
spare_first_cpu() {
	local cgroup=/sys/fs/cgroup cpus

	mkdir $cgroup/spare && echo 0 >$cgroup/spare/cpuset.cpus &&
		echo root >$cgroup/spare/cpuset.cpus.partition
	cpus=$(taskset -p $BASHPID)
	echo "${cpus##* }" >/sys/devices/virtual/workqueue/cpumask
	LAB_FIRST_CPU=1
}

# --- one scenario ---

scenario_prepare() {
	export LAB_SCENARIO=/lab/scenarios/$1.sh LAB_OUT=/lab/$1
	rm -rf "$LAB_STATE/guests" "$LAB_STATE/kmsg.expect"
	mkdir -p "$LAB_STATE/guests" "$LAB_OUT" "$CGROUP"
	kmsg_mark "begin $1"
	leaks_begin
	[ "$LAB_ACCEL" != tcg ] || shutdowns_forget
	[ -w /sys/kernel/debug/kmemleak ] && echo clear >/sys/kernel/debug/kmemleak
	ktap_start
}

# Everything a scenario starts is in one cgroup, so nothing else can be hit
# when the rest of it is killed.
scenario_host() {
	echo $BASHPID >$CGROUP/cgroup.procs
	exec setsid "$LAB_DIR/vm/scenario"
}

# $1 = time limit
scenario_run() {
	local pid sleeper first status

	scenario_host </dev/null &
	pid=$!
	sleep "$1" &
	sleeper=$!
	wait -n -p first $pid $sleeper
	status=$?
	if [ "$first" = $sleeper ]; then
		kill -STOP $pid
		test_fail "the scenario ends within $1 s"
		scenario_show_hang
		kill -KILL $pid
		wait $pid 2>/dev/null
		return
	fi
	kill $sleeper
	wait $sleeper 2>/dev/null
	if [ $status -ne 0 ] && ! scenario_has_failed; then
		test_fail "host() succeeds"
		diag "exit status $status"
	fi
}

scenario_has_failed() {
	local passed failed skipped

	read -r passed failed skipped <"$LAB_STATE/ktap"
	[ "$failed" -gt 0 ]
}

# What a person wants to see of a scenario that hangs.
scenario_show_hang() {
	local console

	diag "processes of the scenario:"
	ps -o pid,stat,wchan:32,args -p "$(paste -sd, $CGROUP/cgroup.procs)" |
		cut -c 1-150 | diag
	kmsg_mark "hang"
	echo w >/proc/sysrq-trigger
	diag "blocked tasks of the host:"
	kmsg_since hang | head -n 80 | diag
	for console in "$LAB_STATE"/guests/*/console; do
		[ -s "$console" ] || continue
		diag "end of $console:"
		tail -n 15 "$console" | tr -d '\r' | diag
	done
}

# Kills what the scenario left running; a process that survives SIGKILL means
# that the kernel is stuck.
scenario_kill() {
	local i

	echo 1 >$CGROUP/cgroup.kill
	for ((i = 0; i < 100; i++)); do
		grep -q 'populated 0' $CGROUP/cgroup.events && rmdir $CGROUP && return
		sleep 0.2
	done
	test_fail "the scenario's processes can be killed"
	scenario_show_hang
	UNUSABLE=1
}

scenario_cleanup() {
	guest_verdicts
	scenario_kill
	if ! lab_unload_all; then
		test_fail "the modules under test can be unloaded"
		lsmod | head -n 20 | diag
		UNUSABLE=1
	fi
	null_disk_del_all || test_fail "the null_blk disks can be removed"
	leaks_report
	rm -rf /dev/shm/*
	scenario_clean_tmp
}

# Removes what is new in /tmp; the rest is the build machine's, and the
# repository itself may be there.
scenario_clean_tmp() {
	local file

	for file in /tmp/* /tmp/.[!.]*; do
		[[ " ${TMP_BEFORE[*]} " == *" $file "* ]] || rm -rf "$file"
	done
}

scenario_verdict() {
	kmemleak_report
	kmsg_mark "end $1"
	kmsg_since "begin $1" >"$LAB_OUT/dmesg"
	kmsg_verdict host "$LAB_OUT/dmesg"
	[ -e "$LAB_STATE/kmsg.expect" ] && cp "$LAB_STATE/kmsg.expect" "$LAB_OUT/"
}

# $1 = name with number.  The file tells the time limit, in seconds of an idle
# machine.
scenario() {
	local limit watch status spoilt=

	limit=$(sed -n 's/^TIMEOUT=\([0-9]*\).*/\1/p' "/lab/scenarios/$1.sh")
	limit=$((${limit:-120} * LAB_TIME_SCALE))
	control "begin $1 $limit"
	scenario_prepare "$1"
	# Once it has spoken the result counts for nothing.
	[ "$LAB_ACCEL" != tcg ] || stuck_watch 10 control spoilt &
	watch=$!
	scenario_run "$limit"
	kill $watch
	wait $watch 2>/dev/null
	if [ "$LAB_ACCEL" = tcg ]; then
		spoilt=$(emulator_spoilt)
	fi
	scenario_cleanup
	scenario_verdict "$1"
	if [ -n "$spoilt" ] && scenario_has_failed; then
		control "spoilt $spoilt"
	fi
	ktap_finish
	status=$?
	control "end $1 $status"
	return $status
}

# An emulated VM may be too old for guests, see LAB_VM_AGE.
# $1 = name with number
is_for_another_vm() {
	[ "$LAB_ACCEL" = tcg ] && [ $SECONDS -ge "$LAB_VM_AGE" ] && [ -z "$LAB_SHELL" ] &&
		! grep -q '^GUESTS=none$' "/lab/scenarios/$1.sh"
}

control "boot $(uname -r)"
load_kvm
echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
# of those that scenarios may use
export LAB_FIRST_CPU=0
[ "$LAB_ACCEL" != tcg ] || spare_first_cpu
BEGUN='' UNUSABLE=
TMP_BEFORE=(/tmp/* /tmp/.[!.]*)
exec >&3 2>&3
# shellcheck disable=SC2153 # lab.conf has it
for name in "${LAB_SCENARIOS[@]}"; do
	[ -z "$BEGUN" ] || ! is_for_another_vm "$name" || break
	BEGUN=1
	scenario "$name"
	case $? in
	0 | 4) ;;
	*) [ -n "$LAB_KEEP_GOING" ] || break ;;
	esac
	if [ -n "$UNUSABLE" ]; then
		control "unusable"
		break
	fi
done
if [ -n "$LAB_SHELL" ]; then
	control "shell"
	setsid --ctty --wait bash -i </dev/ttyS0 >/dev/ttyS0 2>&1
fi
control "done"
sync
exec busybox poweroff -f
