# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Faults of the emulator, seen from within the host VM (the others are in
# outer/emulator.sh).

# KVM enters a guest again and again, and the guest does not execute one
# instruction. Neither a guest nor a device can bring that about: a guest that loops
# stays in its loop until an interrupt of the host comes.

# stuck_suspect SECONDS BEFORE AFTER: has a guest been entered that often, and
# nothing else? BEFORE and AFTER are snapshots (exits_snapshot).
stuck_suspect() {
	local delta rate other

	delta=$(exits_delta "$2" "$3")
	rate=$(exits_rate "$1" "$delta")
	[ "$rate" -ge "$EXITS_BUSY" ] || return
	for other in io mmio halt; do
		[[ $delta == *" ${other}_exits=0"* ]] || return
	done
	echo "entered $rate times a second"
}

# stuck_registers: what the CPUs of a guest have in their general registers and where
# they are, from what QEMU's monitor says to "info registers -a". The place alone says
# too little: a guest that clears memory that it has never had leaves at each page, and
# always at the same instruction.
stuck_registers() {
	tr -d '\r' | sed -n '/^R[0-9A-Z]* *=/{s/ RFL=.*//;p}'
}

# stuck_rips: where the CPUs are, of that.
stuck_rips() {
	grep '^RIP=' | paste -sd ' '
}

# Where the guest is, if nothing of it has changed after five looks.
_stuck_at() {
	local first='' now i

	for i in 1 2 3 4 5; do
		now=$(guest_monitor "$1" "info registers -a" | stuck_registers)
		[ -n "$now" ] && [ "${first:=$now}" = "$now" ] || return
		sleep 0.2
	done
	stuck_rips <<<"$first"
}

# For those who want to know why: where guest $1 is, and in what code. Not what KVM
# does: to trace it its code is patched, of which the emulator has made an int3 that
# the kernel no longer expected.
_stuck_show() {
	local rip

	guest_monitor "$1" "info registers -a" | grep -v MM
	for rip in $2; do
		guest_monitor "$1" "x /8i 0x${rip#*=}"
	done
}

# stuck_watch SECONDS COMMAND...: looks at all guests at that interval. Calls COMMAND
# with the reason, and ends, when one is stuck.
stuck_watch() {
	local -A before=()
	local interval=$1 dir name now often where

	shift
	while sleep "$interval"; do
		for dir in "$LAB_STATE"/guests/*/; do
			name=$(basename "$dir")
			guest_alive "$name" || continue
			now=$(exits_snapshot "$name" 2>/dev/null) || continue
			if [ -n "${before[$name]:-}" ] &&
				often=$(stuck_suspect "$interval" "${before[$name]}" "$now") &&
				where=$(_stuck_at "$name") && [ -n "$where" ]; then
				_stuck_show "$name" "$where" | diag
				"$@" "guest $name is $often and stays at $where"
				return
			fi
			before[$name]=$now
		done
	done
}

# Of a CPU that shuts down, by a fault in the handler of a fault in the handler of a
# fault, KVM tells nobody but QEMU, which resets the guest. A probe costs nothing
# until it is hit, as a trace of all exits would, and as the names of threads do,
# which the kernel would note at each switch between them.
_SHUTDOWNS=/sys/kernel/tracing/instances/lab

# shutdowns_watch: once, when KVM is loaded. A new instance inherits the options.
shutdowns_watch() {
	local tracing=/sys/kernel/tracing module=

	# only a module that was loaded has a size
	[ ! -e /sys/module/kvm_amd/coresize ] || module=kvm_amd:
	echo 0 >$tracing/options/record-cmd && mkdir "$_SHUTDOWNS" &&
		echo 1 >$tracing/options/record-cmd &&
		echo "p:lab/shutdown ${module}shutdown_interception" \
			>>$tracing/kprobe_events &&
		echo 1 >"$_SHUTDOWNS/events/lab/shutdown/enable"
}

shutdowns_forget() {
	: >"$_SHUTDOWNS/trace"
}

# shutdowns: how many there were, of the trace on standard input. Whose, cannot be told
# any more when QEMU has ended.
shutdowns() {
	grep -c " shutdown: "
}

# guest_silent NAME: has it left a command without an answer, and does it still not
# answer?
guest_silent() {
	local dir=$LAB_STATE/guests/$1 GUEST_TIMEOUT=5

	[ -e "$dir/unanswered" ] && guest_alive "$1" || return
	guest "$1" true >/dev/null 2>&1
	[ $? = 124 ]
}

# Does no console of a guest speak of pvbus? What happened without a word may have
# been our fault all the same, which then comes again.
_guests_say_nothing() {
	! grep -qs '\[pv[a-z_]*\]' "$LAB_STATE"/guests/*/console
}

# emulator_spoilt: what it has done to the guests of a scenario that has failed;
# nothing if that cannot be told.
emulator_spoilt() {
	local dir name fault

	for dir in "$LAB_STATE"/guests/*/; do
		[ -e "$dir/console" ] || continue
		name=$(basename "$dir")
		fault=$(console_fault <"$dir/console")
		if [ -z "$fault" ] && _guests_say_nothing && guest_silent "$name"; then
			fault="fell silent without a word"
		fi
		if [ -n "$fault" ]; then
			echo "guest $name $fault"
			return
		fi
	done
	if [ "$(shutdowns <"$_SHUTDOWNS/trace")" -gt 0 ] && _guests_say_nothing; then
		echo "a guest shut down without a word"
	fi
}
