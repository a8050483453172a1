#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The ring in weak memory: nothing is lost, neither entries nor wake-ups.
set -u
. "$(dirname "$0")/../lib/model.sh"

asleep='invalid end state'
spoilt='assertion violated (copy==got)'

holds "ring: both ends sleep, the consumer arms ahead" ring
holds "ring: the same, of 4 slots" ring -DSLOTS=4 -DTOTAL=5
holds "ring: both ends sleep, the producer only kicks" ring -DKICK -DTOTAL=5
holds "ring: the consumer polls and is not rung" ring -DPOLL

mutant ring M_RELAXED_SEQ "$spoilt"
mutant ring M_RELAXED_LOAD "$spoilt"
mutant ring M_RELAXED_INDEX "$spoilt"
mutant ring M_KICK_NO_MB "$asleep" -DKICK
mutant ring M_ARM_NO_MB "$asleep" -DKICK
mutant ring M_ARM_NO_RECHECK "$asleep" -DKICK
mutant ring M_PASSED_LATE "$asleep" -DKICK
mutant ring M_PASSED_LAST "$asleep" -DKICK
mutant ring M_PUBLISH_NO_MB "$asleep"
mutant ring M_ROOM_NO_MB "$asleep"
mutant ring M_ROOM_NO_RECHECK "$asleep"
mutant ring M_SPACE_EVENT "$asleep"
mutant ring M_NO_REMIND "$asleep"
mutant ring M_WAITING_NO_MB "$asleep"
mutant ring M_WAITING_NOT_AHEAD "$asleep"
mutant ring M_NO_DISARM 'assertion violated 0' -DPOLL
mutants_done ring
ktap_exit
