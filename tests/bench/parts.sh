# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Runs a plan in the lab, in parts of some minutes: an emulated host VM does not bear
# more (LAB_VM_AGE in tests/lab/outer/vm.sh), and where a guest is lost, what is left
# goes on with new ones. bench and demo have that in common.

# Seconds, after which a part begins no other batch.
PART_SECONDS=${PART_SECONDS:-420}
# With fewer left, none is begun: to boot takes most of it.
PART_LEAST=90

# keep_part LAB RESULTS: adds what a part has measured. Its clock is this machine's.
keep_part() {
	local dir

	# one that the emulator has spoilt has measured something, too
	for dir in "$1"/*-compare*/results/; do
		cat "$dir/samples" >>"$2/samples"
		cp -r "$dir"/[0-9]* "$2" 2>/dev/null
		[ ! -e "$dir/environment" ] || cp "$dir/environment" "$2"
	done
}

# run_parts OUT KERNEL SECONDS: of the plan in OUT/plan; results in OUT/results. Fails
# if one has measured nothing.
run_parts() {
	local out=$1 kernel=$2 end=$((SECONDS + $3)) part=0 status progress

	mkdir -p "$out/results"
	while :; do
		part=$((part + 1)) status=0
		tests/lab/run --host-kernel "$kernel" --guest-kernel "$kernel" \
			--set "PLAN=$out/plan" --set "PART_SECONDS=$PART_SECONDS" \
			--set "BUDGET=$((end - SECONDS))" --results "$out/lab-$part" \
			--timeout $((end - SECONDS + 60)) \
			tests/bench/compare.sh || status=$?
		keep_part "$out/lab-$part" "$out/results"
		progress=$(find "$out/lab-$part" -path '*-compare/results/progress')
		[ -n "$progress" ] || return $status
		cmp -s "$progress" "$out/plan/progress" && return 1
		cp "$progress" "$out/plan/progress"
		[ $((end - SECONDS)) -gt "$PART_LEAST" ] || return 0
	done
}
