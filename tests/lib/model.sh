# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the model checks share. A test sources this, and says of each model what
# holds and which mutants must not.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$top/tests/lib/ktap.sh"
out=${BUILD:-$top/build}/tests/model
checked=" "

# MODEL FLAGS...: all states of it; what spin has found is in $log
search()
{
	local model=$1

	shift
	dir=$out/$model$(printf '%s' "$@" | tr -c 'A-Za-z0-9_=' _)
	rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || return
	log=$(spin "$@" -a "$top/tests/model/$model.pml" 2>&1 &&
		# a better program takes longer to compile than it saves
		clang -O0 -w -DSAFETY -DMEMLIM=2048 -DNOFAIR -o pan pan.c 2>&1 &&
		./pan -m100000 -w"$hash" 2>&1)
	cd "$top" || return
}

# NAME MODEL FLAGS...: spin finds no error in all of its states
holds()
{
	local name=$1 hash=24 log='' dir='' states

	shift
	search "$@"
	states=$(sed -n 's/^ *\([0-9]*\) states, stored$/\1/p' <<<"$log")
	if grep -q 'errors: 0$' <<<"$log" && [ -n "$states" ] &&
		! grep -qiE 'not completed|too small|out of memory' <<<"$log"; then
		echo "# $name: $states states"
		ktap_pass "$name"
	else
		ktap_fail "$name" "spin found an error, or gave up" "$log
to see how it comes to that: spin -t -p -k $dir/$1.pml.trail ${*:2} tests/model/$1.pml"
	fi
}

# MODEL MUTANT WORDS [FLAGS...]: spin finds that error in the mutant
mutant()
{
	local model=$1 mutant=$2 words=$3 hash=20 log='' dir=''

	shift 3
	checked+="$mutant "
	search "$model" "-D$mutant" "$@"
	if grep -qF "pan:1: $words" <<<"$log"; then
		ktap_pass "$model $mutant"
	else
		ktap_fail "$model $mutant" "spin does not find: $words" "$log"
	fi
}

# MODEL: no mutant of it was left out
mutants_done()
{
	local name missing=''

	while read -r name; do
		[[ $checked == *" $name "* ]] || missing+=" $name"
	done < <(cat "$top/tests/model/$1"*.{pml,inc} 2>/dev/null |
		grep -oE '\bM_[A-Z_]+' | sort -u)
	if [ -z "$missing" ]; then
		ktap_pass "$1: every mutant was tried"
	else
		ktap_fail "$1: every mutant was tried" "not$missing"
	fi
}
