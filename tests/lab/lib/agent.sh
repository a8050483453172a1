# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Commands in a guest, seen from the host VM.
#
# A line written to the guest's virtio-serial port is read by the agent
# (vm/agent.sh), which sleeps in the read when there is none.  Requests:
#	run ID COMMAND		kill ID		poweroff	reboot
# Replies, one line each, read by the guest's supervisor (lib/guest.sh):
#	hello			done ID STATUS
# Output goes to files in the guest's share.  The supervisor puts the status of
# job ID into jobs/ID.status, then writes to the FIFO jobs/ID, in which whoever
# waits for it sleeps.

# Default time limit of a command in a guest, in seconds.
GUEST_TIMEOUT=${GUEST_TIMEOUT:-60}

# What a lost command (the guest died or rebooted under it) returns, beside
# 124 for one out of time.
_AGENT_LOST=125

_guest_dir() {
	echo "$LAB_STATE/guests/$1"
}

# _agent_send DIR LINE: never blocks, as long as QEMU or nobody reads: the
# FIFO is opened for both directions.  Long lines are not atomic in a FIFO.
_agent_send() {
	if [ ${#2} -lt 4000 ]; then
		printf '%s\n' "$2" 1<>"$1/port"
	else
		(
			flock 9
			printf '%s\n' "$2" 1<>"$1/port"
		) 9>"$1/port.lock"
	fi
}

# guest_bg NAME CMD...: starts a function of the scenario or a command in a
# guest.  The job's id, for guest_wait, is in GUEST_JOB.
guest_bg() {
	local name=$1 dir=$LAB_STATE/guests/$1 command

	shift
	if [ ! -d "$dir" ]; then
		echo "guest: there is no guest $name" >&2
		return $_AGENT_LOST
	fi
	GUEST_JOB=$BASHPID.$SRANDOM
	mkfifo "$dir/jobs/$GUEST_JOB"
	printf -v command '%q ' "$@"
	_agent_send "$dir" "run $GUEST_JOB $command"
}

# guest_wait NAME JOB [SECONDS]: waits for a job, passes its output on and
# returns its status; 124 when it ran out of time, 125 when the guest died.
guest_wait() {
	local name=$1 job=$2 dir=$LAB_STATE/guests/$1
	local limit=$((${3:-$GUEST_TIMEOUT} * LAB_TIME_SCALE))
	local fifo=$dir/jobs/$2 fd status=

	[ -p "$fifo" ] || return $_AGENT_LOST
	# First the FIFO is opened, then the file is looked at; the supervisor
	# does it the other way round, so neither can miss the other.
	exec {fd}<>"$fifo"
	if [ ! -e "$fifo.status" ] && [ ! -e "$dir/exit" ]; then
		read -r -t "$limit" -u "$fd" status
	fi
	exec {fd}<&-
	status=timeout
	if [ -e "$fifo.status" ]; then
		read -r status <"$fifo.status"
	elif [ -e "$dir/exit" ]; then
		status=lost
	else
		_agent_send "$dir" "kill $job"
	fi
	rm -f "$fifo" "$fifo.status"
	_agent_output "$dir" "$job"
	case $status in
	timeout)
		echo "guest $name: no answer in $limit s" >&2
		: >"$dir/unanswered"
		return 124
		;;
	lost)
		echo "guest $name: died or rebooted under the command" >&2
		return $_AGENT_LOST
		;;
	esac
	return "$status"
}

_agent_output() {
	local out=$1/share/.job.$2.out err=$1/share/.job.$2.err

	[ -s "$out" ] && cat "$out"
	[ -s "$err" ] && cat "$err" >&2
	rm -f "$out" "$err"
}

# guest NAME CMD...: the two together.  GUEST_TIMEOUT=N guest ... for a limit
# of its own.
guest() {
	guest_bg "$@" || return
	guest_wait "$1" "$GUEST_JOB"
}

# guest_tap NAME FUNC...: runs a function that reports by check and its kin in
# a guest, and counts its results here.
guest_tap() {
	local out=/tmp/tap.$BASHPID line status

	guest "$@" >"$out" 2>&1
	status=$?
	while IFS= read -r line; do
		case $line in
		"ok - "*"# SKIP "*) _ktap_result skipped "${line#ok - }" ;;
		"ok - "*) test_ok "${line#ok - }" ;;
		"not ok - "*) test_fail "${line#not ok - }" ;;
		*) diag "${line#\# }" ;;
		esac
	done <"$out"
	[ $status -lt 124 ] || test_fail "$2 ends in guest $1"
	rm -f "$out"
	return $status
}

# --- the supervisor's side ---

# The status of a job, whose FIFO is $1, for whoever waits for it or will; if
# nobody does any more the FIFO is gone.
_agent_finish() {
	[ -p "$1" ] || return
	echo "$2" >"$1.status"
	echo 1<>"$1"
}

# $1 = directory of the guest.  Every job the guest no longer knows of.
_agent_lose_jobs() {
	local fifo

	for fifo in "$1"/jobs/*; do
		[ -e "$fifo.status" ] || _agent_finish "$fifo" lost
	done
}

# One line from the guest.  It may be torn when the guest dies: anything not
# understood is dropped.
_agent_dispatch() {
	local dir=$1 word job status

	read -r word job status <<<"$2"
	case $word in
	hello)
		_agent_lose_jobs "$dir"
		echo up >&"$_AGENT_UP"
		;;
	done)
		[[ $job == */* || ! $status =~ ^[0-9]+$ ]] && return
		_agent_finish "$dir/jobs/$job" "$status"
		;;
	esac
}
