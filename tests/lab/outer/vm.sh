# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The host VM, seen from the build machine.

# Kernel threads and interrupts are slow under TCG, not stuck: give the
# detectors time, but less than a scenario's time limit if possible.
LAB_VM_CMDLINE="watchdog_thresh=40 rcupdate.rcu_cpu_stall_timeout=80"
LAB_VM_CMDLINE+=" sysctl.kernel.hung_task_timeout_secs=90 workqueue.watchdog_thresh=0"
# What takes seconds of a boot and is of no use here: workarounds for CPUs, a
# scan of all of PCI for an AGP bridge, self tests of the crypto code.
LAB_VM_CMDLINE+=" mitigations=off pci=noearly cryptomgr.notests quiet loglevel=5"

# Seconds after which an emulated host VM begins no other scenario. When its buffer
# for translated code is full, which takes it two minutes, TCG throws all of it away
# and stops its CPUs for that; with SVM of QEMU 7.2, one that is in a guest which
# KVM has just interrupted then takes that interrupt a second time, whatever the
# guest is doing: guests, or the host VM, crashed of it in every second long run.
LAB_VM_AGE=45

# An NMI means that the outer side gave the VM up (vm_give_up): its panic shows
# where each CPU is (panic_print).
_HOST_CMDLINE="console=ttyS0 panic=-1 oops=panic log_buf_len=4M $LAB_VM_CMDLINE"
_HOST_CMDLINE+=" unknown_nmi_panic=1 sysrq_always_enabled panic_print=0x40"

# vm_start ACCEL RELEASE DIR: starts the host VM; its results can be read from
# descriptor VM_OUT, until its end.  VM_PID is QEMU's.  The console of all VMs
# of a run is one file; this one's begins at VM_CONSOLE.  It has VM_SMP CPUs.
vm_start() {
	local release=$2 dir=$3 console append=
	local -a accel

	VM_SMP=$HOST_SMP
	case $1 in
	kvm) accel=(-accel kvm -cpu host) ;;
	# la57=off and no mitigations: a quarter faster.  erms=off: TCG does "rep
	# stosb" and "rep movsb" byte by byte, and where a CPU says that they are
	# fast, kernels clear and copy all memory with them: sixteen times slower
	# than what they do otherwise.  xsave=off because
	# TCG's SVM does not intercept XSETBV: KVM would not know a guest's
	# XCR0, and the guest warns of the inconsistency.  hpet=off, because
	# Linux takes it for its clock if the TSC looks unsteady on a busy
	# machine, and then every look at the time is an exit.
	# lpj, for 250 jiffies a second, as 6.12 spends seconds for each further CPU
	# in vain to find out.
	# One CPU more, and maxcpus: level1.sh spares the first, and starts the others.
	# tb-size: as much as there may be, see LAB_VM_AGE.
	tcg)
		accel=(-accel "tcg,thread=multi,tb-size=2048" -cpu "max,la57=off,erms=off,fsrm=off,xsave=off"
			-machine "pc,hpet=off")
		VM_SMP=$((HOST_SMP + 1))
		append="maxcpus=1 tsc=reliable${TSC_KHZ:+ tsc_early_khz=$TSC_KHZ lpj=$((TSC_KHZ * 4))}"
		;;
	esac
	console="file,id=console,path=$dir/console.log,append=on"
	[ -z "$LAB_SHELL" ] || console="socket,id=console,path=$dir/console.sock,server=on,wait=off,logfile=$dir/console.log"
	VM_CONSOLE=$(stat -c %s "$dir/console.log" 2>/dev/null || echo 0)
	rm -f "$dir"/{input,mon.in,mon.out}
	mkfifo "$dir"/{input,mon.in,mon.out} || return
	# Its standard output is the VM's second serial port.
	exec {VM_OUT}< <(exec "${LAB_EMULATOR:-qemu-system-x86_64}" \
		-name lab-host "${accel[@]}" -smp "sockets=1,cores=$VM_SMP" -m "$HOST_MEM" \
		-nodefaults -no-user-config -display none -no-reboot \
		-kernel "${LAB_KERNEL_IMAGE[$release]}" \
		-initrd "${LAB_KERNEL_INITRD[$release]}" \
		-append "$_HOST_CMDLINE $append $HOST_APPEND" \
		-chardev "$console" -serial chardev:console \
		-chardev stdio,id=results,signal=off -serial chardev:results \
		-chardev "pipe,id=mon,path=$dir/mon" -mon chardev=mon,mode=readline \
		-virtfs "local,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap" \
		-virtfs "local,path=$dir,mount_tag=lab,security_model=none" \
		<>"$dir/input" 2>>"$dir/qemu.log")
	VM_PID=$!
	VM_DIR=$dir
}

# vm_monitor COMMAND...: what QEMU's monitor answers.
vm_monitor() {
	local command out line

	exec {out}<>"$VM_DIR/mon.out"
	for command; do
		echo "$command" 1<>"$VM_DIR/mon.in"
	done
	while IFS= read -r -t 1 -u "$out" line; do
		echo "$line"
	done
	exec {out}<&-
}

# vm_give_up: makes a VM that hangs show where, then ends it.
vm_give_up() {
	echo nmi 1<>"$VM_DIR/mon.in"
	timeout 15 tail --pid="$VM_PID" -f /dev/null
	vm_kill
}

# vm_kill: ends QEMU, if it still runs, and takes its exit status.
vm_kill() {
	[ -n "${VM_PID:-}" ] || return 0
	kill -KILL "$VM_PID" 2>/dev/null
	wait "$VM_PID" 2>/dev/null
	VM_PID=
	exec {VM_OUT}<&-
}

# vm_write_conf DIR: what the programs in the VMs know, as shell variables.
# shellcheck disable=SC2153 # ACCEL is parse_options'
vm_write_conf() {
	{
		declare -p LAB_DIR REPO LAB_KERNEL_FILE LAB_KERNEL_IMAGE LAB_KERNEL_INITRD \
			LAB_KERNEL_MODDIR LAB_VM_CMDLINE LAB_KEEP_GOING LAB_SHELL \
			LAB_SCENARIOS LAB_TIME_SCALE LAB_KVM_ANCHOR
		printf 'export %q\n' "${LAB_ENV[@]}"
		echo "HOST_KERNEL=$HOST_RELEASE GUEST_KERNEL=$GUEST_RELEASE"
		echo "LAB_LEVEL=1 LAB_ACCEL=$ACCEL LAB_VM_AGE=$LAB_VM_AGE"
	} | sed 's/^declare -[-r]* /&/; /^export '\'\''$/d' >"$1/lab.conf"
	printf '. %q\n' "$LAB_DIR/vm/level1.sh" >"$1/.start"
}
