# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Life of the guest VMs, seen from the host VM.  All state of guest NAME is in
# $LAB_STATE/guests/NAME, so any shell of a scenario can use any guest:
#	pid		of QEMU
#	exit		QEMU's exit status, once it is gone
#	ending		it was told to go: its exit is no surprise
#	again		it hung at its boot and was reset
#	console		the serial console
#	port, up, jobs/	FIFOs of the agent (lib/agent.sh)
#	mon.in, mon.out	QMP
#	share/		which the guest has at /lab; in memory, because a request of
#			the guest to /lab of this VM would take this VM a dozen
#	alive		locked for as long as the supervisor lives

# Seconds a guest may take to boot until its agent answers, and to power off.
# Like all limits they are for an idle machine (LAB_TIME_SCALE).
GUEST_BOOT_TIMEOUT=${GUEST_BOOT_TIMEOUT:-90}
GUEST_STOP_TIMEOUT=${GUEST_STOP_TIMEOUT:-30}

_GUEST_CMDLINE="console=ttyS0 panic=-1 oops=panic log_buf_len=1M $LAB_VM_CMDLINE"

# Each eventfd that KVM is told of costs ten milliseconds of boot, and without
# one 9p is even quicker.  Not so virtio-serial: when the guest opens a port
# QEMU looks for input only if its main loop is what took notice of it.
_LAB_9P="virtio-9p-pci,disable-legacy=on,ioeventfd=off"

# No HPET: a guest that takes its TSC for unsteady on a busy machine makes it its
# clock, and then every look at the time is an exit. And no SVM, for which udev
# would load KVM.
_GUEST_MACHINE=(-accel kvm -cpu "host,-svm" -machine "pc,hpet=off")

# guest_start NAME [--kernel K] [--smp N] [--mem SIZE] [--append CMDLINE]
#	[--no-wait] [QEMU arguments...]
# Boots a guest and waits until its agent answers.
guest_start() {
	local name=$1 kernel=$GUEST_KERNEL smp=1 mem=1G append='' wait=1
	local dir=$LAB_STATE/guests/$1 image initrd started

	shift
	while [ $# -gt 0 ]; do
		case $1 in
		--kernel) kernel=$2 && shift ;;
		--smp) smp=$2 && shift ;;
		--mem) mem=$2 && shift ;;
		--append) append=$2 && shift ;;
		--no-wait) wait='' ;;
		*) break ;;
		esac
		shift
	done
	kernel=$(lab_kernel "$kernel") || return
	image=${LAB_KERNEL_IMAGE[$kernel]}
	initrd=${LAB_KERNEL_INITRD[$kernel]}
	_guest_prepare "$name" || return
	exec {started}<>"$dir/started"
	_guest_supervise "$dir" "$started" \
		-name "$name" "${_GUEST_MACHINE[@]}" -smp "sockets=1,cores=$smp" -m "$mem" \
		-nodefaults -no-user-config -display none \
		-kernel "$image" -initrd "$initrd" \
		-append "$_GUEST_CMDLINE $append" \
		-chardev "file,id=console,path=$dir/console,append=on" \
		-serial chardev:console \
		-fsdev "local,id=root,path=/run/lab/lower,security_model=none,readonly=on,multidevs=remap" \
		-device "$_LAB_9P,fsdev=root,mount_tag=root" \
		-fsdev "local,id=lab,path=$dir/share,security_model=none" \
		-device "$_LAB_9P,fsdev=lab,mount_tag=lab" \
		-device virtio-serial-pci,max_ports=2,disable-legacy=on \
		-chardev stdio,id=agent,signal=off \
		-device virtserialport,chardev=agent,name=lab.agent \
		-chardev "pipe,id=mon,path=$dir/mon" -mon chardev=mon,mode=control \
		"$@" </dev/null >>"$dir/supervisor.log" 2>&1 &
	read -r -t 10 -u "$started" _
	exec {started}<&-
	[ -e "$dir/pid" ] || return
	[ -z "$wait" ] || guest_wait_up "$name"
}

# lab_kernel SPEC: the release that a version or series stands for.
lab_kernel() {
	local release

	for release in "${!LAB_KERNEL_IMAGE[@]}"; do
		case $release in
		"$1" | "$1"[!0-9]*) echo "$release" && return 0 ;;
		esac
	done
	echo "no kernel $1 in this run (have: ${!LAB_KERNEL_IMAGE[*]})" >&2
	return 1
}

# A fresh directory, with what outlives the guest's last life: the console,
# and the share.
_guest_prepare() {
	local dir=$LAB_STATE/guests/$1 share=$LAB_STATE/guests/$1/share

	if [ -d "$dir" ] && [ ! -e "$dir/exit" ]; then
		echo "guest_start: guest $1 is running" >&2
		return 1
	fi
	mkdir -p "$share"
	rm -rf "$dir"/{pid,exit,ending,again,port,up,mon.in,mon.out,jobs,started,qmp}
	mkdir "$dir/jobs"
	mkfifo "$dir"/{port,up,mon.in,mon.out,started}
	touch "$dir/alive" "$dir/console"
	# All in one file: each file opened costs the guest's boot time.
	{
		cat /lab/lab.conf
		echo "LAB_LEVEL=2 LAB_GUEST=$1 LAB_STATE=/run/lab LAB_OUT=/lab"
		cat "$LAB_DIR"/{vm/setup.sh,lib/*.sh,vm/agent.sh}
	} >"$share/.start"
	cp "$LAB_SCENARIO" "$share/.scenario.sh"
}

# Runs QEMU and passes on what its guest's agent says.  Ends with QEMU: its
# standard output is the agent's port, so there is nothing to poll.
_guest_supervise() {
	local dir=$1 started=$2 alive out pid line status

	shift 2
	exec {alive}>"$dir/alive" {_AGENT_UP}<>"$dir/up"
	flock "$alive"
	exec {out}< <(exec qemu-system-x86_64 "$@" \
		{alive}>&- {_AGENT_UP}>&- {started}>&- \
		<>"$dir/port" 2>>"$dir/qemu.log")
	pid=$!
	echo $pid >"$dir/pid"
	echo >&"$started"
	exec {started}>&-
	while IFS= read -r line <&"$out"; do
		_agent_dispatch "$dir" "$line"
	done
	wait $pid
	status=$?
	echo $status >"$dir/exit"
	_agent_lose_jobs "$dir"
	echo gone >&"$_AGENT_UP"
}

# _guest_hangs NAME FD: has it stopped talking before anything of pvbus was in it, and
# does nothing else either? One with much memory clears it for minutes where everything
# is emulated, and leaves for each page of it. What comes from FD, its "up", while we look is put into the
# caller's "word".
_guest_hangs() {
	local dir=$LAB_STATE/guests/$1 size before delta

	guest_alive "$1" && ! grep -q pvbus "$dir/console" || return
	size=$(stat -c %s "$dir/console")
	before=$(exits_snapshot "$1") || return
	! read -r -t 5 -u "$2" word || return
	[ "$(stat -c %s "$dir/console")" = "$size" ] || return
	delta=$(exits_delta "$before" "$(exits_snapshot "$1")") || return
	[ "$(exits_rate 5 "$delta")" -lt "$EXITS_BUSY" ]
}

# Under two emulators a kernel hangs at its boot now and then, as the host VM's
# does (run_all): such a guest is reset, once.
_guest_second_chance() {
	local dir=$LAB_STATE/guests/$1

	[ ! -e "$dir/again" ] && _guest_hangs "$@" || return
	: >"$dir/again"
	echo "guest $1: hangs at its boot, is reset" >>"$dir/supervisor.log"
	guest_monitor "$1" system_reset
}

# guest_wait_up NAME [SECONDS]: until the agent says hello, the first time or
# once more after a reboot.
guest_wait_up() {
	local dir=$LAB_STATE/guests/$1 limit fd word=

	limit=$((${2:-$GUEST_BOOT_TIMEOUT} * LAB_TIME_SCALE))
	# Opened before the look at "exit", which is written before "gone".
	exec {fd}<>"$dir/up"
	if [ ! -e "$dir/exit" ] && ! read -r -t $((limit / 3)) -u "$fd" word; then
		_guest_second_chance "$1" "$fd"
		[ -n "$word" ] || read -r -t $((limit * 2 / 3)) -u "$fd" word
	fi
	exec {fd}<&-
	[ "$word" = up ] && return 0
	if [ -e "$dir/exit" ]; then
		echo "guest $1: QEMU is gone, exit status $(<"$dir/exit")"
		cat "$dir/qemu.log"
	else
		echo "guest $1: not up in $limit s"
	fi >&2
	tail -n 25 "$dir/console" | tr -d '\r' >&2
	return 1
}

# guest_pid NAME: QEMU's, in the host VM.
guest_pid() {
	cat "$LAB_STATE/guests/$1/pid"
}

# guest_share NAME: the directory here that the guest has at /lab.  What is in
# it at the end of the scenario goes to the results.
guest_share() {
	echo "$LAB_STATE/guests/$1/share"
}

# guest_alive NAME
guest_alive() {
	[ -e "$LAB_STATE/guests/$1/pid" ] && [ ! -e "$LAB_STATE/guests/$1/exit" ]
}

# guest_wait_exit NAME SECONDS: until QEMU is gone and reaped.
guest_wait_exit() {
	flock -w $(($2 * LAB_TIME_SCALE)) "$LAB_STATE/guests/$1/alive" true && ! guest_alive "$1"
}

# guest_stop NAME: a clean power-off; SIGKILL, and a failure, if that takes
# too long.
guest_stop() {
	local dir=$LAB_STATE/guests/$1

	guest_alive "$1" || return 0
	: >"$dir/ending"
	_agent_send "$dir" poweroff
	guest_wait_exit "$1" "$GUEST_STOP_TIMEOUT" && return 0
	echo "guest $1: no power-off in $GUEST_STOP_TIMEOUT s" >&2
	tail -n 15 "$dir/console" | tr -d '\r' >&2
	guest_kill "$1"
	return 1
}

# guest_kill NAME: SIGKILL to QEMU, and waits until it is gone.
guest_kill() {
	guest_alive "$1" || return 0
	: >"$LAB_STATE/guests/$1/ending"
	kill -KILL "$(guest_pid "$1")" 2>/dev/null
	guest_wait_exit "$1" 20
}

# guest_reboot NAME: a clean reboot from inside, until the agent is back.
guest_reboot() {
	_agent_send "$LAB_STATE/guests/$1" reboot
	guest_wait_up "$1"
}

# guest_panic NAME: its kernel panics, which resets it, until the agent is back.
guest_panic() {
	kmsg_expect "$1" 'Kernel panic - not syncing: sysrq triggered crash'
	guest_bg "$1" sh -c 'echo c >/proc/sysrq-trigger' && guest_wait_up "$1"
}

# guest_kexec_load NAME OPTION: has it load the kernel that it runs; OPTION is kexec's:
# -l for "kexec -e", -p for when it panics, for which it was booted with crashkernel=.
# It is the file that is installed: what the lab boots cannot be put anywhere else.
guest_kexec_load() {
	local share=$LAB_STATE/guests/$1/share kernel status

	kernel=$(lab_kernel "$GUEST_KERNEL") || return
	cp "${LAB_KERNEL_INITRD[$kernel]}" "$share/initrd" || return
	guest "$1" kexec "$2" "${LAB_KERNEL_FILE[$kernel]}" --initrd=/lab/initrd \
		--reuse-cmdline
	status=$?
	rm "$share/initrd"
	return $status
}

# guest_kexec NAME: it boots what it has loaded, without a reset, until the agent is back.
guest_kexec() {
	guest_bg "$1" kexec -e && guest_wait_up "$1"
}

# guest_qmp NAME JSON: one QMP command; prints the answer.
guest_qmp() {
	local dir=$LAB_STATE/guests/$1

	guest_alive "$1" || return
	(
		flock -w 30 9 || exit
		exec 8<>"$dir/mon.in" 7<>"$dir/mon.out"
		if [ ! -e "$dir/qmp" ]; then
			echo '{"execute":"qmp_capabilities"}' >&8
			_qmp_answer || exit
			: >"$dir/qmp"
		fi
		echo "$2" >&8
		_qmp_answer
	) 9>"$dir/mon.lock"
}

# The next answer; the greeting and events are not answers.
_qmp_answer() {
	local line

	while IFS= read -r -t 20 line <&7; do
		case $line in
		'{"return"'*) echo "$line" && return 0 ;;
		'{"error"'*) echo "$line" >&2 && return 1 ;;
		esac
	done
	echo "QMP: no answer" >&2
	return 1
}

# guest_monitor NAME COMMAND...: a command of QEMU's human monitor, such as
# system_reset.
guest_monitor() {
	local name=$1 line

	shift
	line=${*//\\/\\\\}
	line=${line//\"/\\\"}
	line='{"execute":"human-monitor-command","arguments":{"command-line":"'$line'"}}'
	line=$(guest_qmp "$name" "$line") || return
	line=${line#*'"return": "'}
	line=${line%'"'*}
	[ -z "$line" ] || printf '%b' "${line//\\r/}"
}

# --- for the harness, at the end of a scenario ---

# Kills what is left, then judges each guest's end and console.
guest_verdicts() {
	local dir name status

	for dir in "$LAB_STATE"/guests/*/; do
		[ -d "$dir" ] || continue
		name=$(basename "$dir")
		if guest_alive "$name"; then
			guest_kill "$name" || test_fail "guest $name can be killed"
		elif [ ! -e "$dir/ending" ]; then
			status=$(<"$dir/exit")
			if [ "$status" != 0 ]; then
				test_fail "QEMU of guest $name ends only when told"
				diag "exit status $status"
				diag <"$dir/qemu.log"
			fi
		fi
		kmsg_verdict "$name" "$dir/console"
		rm -f "$dir"/share/{.start,.scenario.sh,.job.*}
		mkdir "$LAB_OUT/$name"
		cp -r "$dir"/{console,qemu.log,supervisor.log,share} "$LAB_OUT/$name/"
	done
	return 0
}
