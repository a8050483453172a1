# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What each technique brings: the same load goes on while one after another is
# turned off and on again, in turns. techniques.py makes a table of it.
#
#	RESULTS/samples	a line for each turn: LOAD SETTING, with _ for spaces, then
#			seconds, operations, exits, interrupts and doorbells in it

TIMEOUT=420
GUEST_TIMEOUT=60

. "$REPO/tests/bench/load.sh"

ROUNDS=${ROUNDS:-5}
LOADS=${LOADS:-read-qd1 read-qd32 write-qd32 tcp-rr}
# name, and what it sets of poll_us, coalesce_us and idle_policy of the host and
# idle_poll_us of the guest; what it does not name is as it was.
SETTINGS=(
	"defaults"
	"the_host_does_not_poll poll_us=0"
	"the_guest_does_not_look_before_it_halts idle_poll_us=0"
	"neither poll_us=0 idle_poll_us=0"
	"no_patience coalesce_us=0"
	"workers_keep_their_CPU idle_policy=N"
)

_HOST_PARAMETERS=/sys/module/pvbus_host/parameters
_GUEST_PARAMETERS=/sys/module/pvbus/parameters
# parameter -> what the modules have it be
declare -A DEFAULTS

read_defaults() {
	DEFAULTS=(
		[poll_us]=$(<$_HOST_PARAMETERS/poll_us)
		[coalesce_us]=$(<$_HOST_PARAMETERS/coalesce_us)
		[idle_policy]=$(<$_HOST_PARAMETERS/idle_policy)
		[idle_poll_us]=$(guest bench cat $_GUEST_PARAMETERS/idle_poll_us)
	)
	GUEST_HAS=${DEFAULTS[idle_poll_us]}
	diag "defaults: $(declare -p DEFAULTS)"
	[ -n "$GUEST_HAS" ]
}

# apply PARAM=VALUE...: those, and the defaults of the others.
apply() {
	local param
	local -A set=()

	for param in "${!DEFAULTS[@]}"; do
		set[$param]=${DEFAULTS[$param]}
	done
	for param; do
		set[${param%%=*}]=${param#*=}
	done
	echo "${set[poll_us]}" >$_HOST_PARAMETERS/poll_us
	echo "${set[coalesce_us]}" >$_HOST_PARAMETERS/coalesce_us
	echo "${set[idle_policy]}" >$_HOST_PARAMETERS/idle_policy
	[ "${set[idle_poll_us]}" = "$GUEST_HAS" ] && return
	GUEST_HAS=${set[idle_poll_us]}
	guest bench sh -c "echo $GUEST_HAS >$_GUEST_PARAMETERS/idle_poll_us"
}

# One line: time in us, operations, exits, interrupts, doorbells.
snapshot() {
	local exits own

	exits=$(exits_snapshot bench)
	own=$(pvbusctl stats bench --json |
		jq -r '[.. | objects | select(has("doorbells"))] |
			"\(map(.interrupts) | add) \(map(.doorbells) | add)"')
	exits=${exits#exits=}
	echo "${EPOCHREALTIME/./} $(bench_served) ${exits%% *} $own"
}

# turn LOAD NAME PARAM=VALUE...
turn() {
	local load=$1 name=$2 i
	local -a first last line=()

	shift 2
	apply "$@"
	# until what was learned is of now
	sleep 0.5
	read -r -a first <<<"$(snapshot)"
	sleep 1.2
	read -r -a last <<<"$(snapshot)"
	for i in 0 1 2 3 4; do
		line+=($((last[i] - first[i])))
	done
	echo "$load $name ${line[*]}" >>"$LAB_OUT/results/samples"
}

# All settings in turns while one load runs.
measure() {
	local round setting

	bench_load "$1" $((ROUNDS * ${#SETTINGS[@]} * 5)) || return
	for ((round = 0; round < ROUNDS; round++)); do
		for setting in "${SETTINGS[@]}"; do
			# shellcheck disable=SC2086 # words
			turn "$1" $setting
		done
	done
	bench_load_end
}

host() {
	local load

	mkdir -p "$LAB_OUT/results"
	check "the host is set up" bench_host_setup || return
	check "the guest boots" pvbus_guest bench || return
	check "the guest is set up" guest bench bench_guest_setup || return
	check "the defaults are known" read_defaults || return
	for load in $LOADS; do
		check "$load" measure "$load"
	done
	check "the guest stops" guest_stop bench
}
