#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The host's worker in weak memory: it sleeps, is woken, and is deaf for a while.
set -u
. "$(dirname "$0")/../lib/model.sh"

asleep='invalid end state'

holds "worker: it does not sleep with something to do" worker

mutant worker M_CLEAR_NO_MB "$asleep"
mutant worker M_CLEAR_LATE "$asleep"
mutant worker M_STATE_NO_MB "$asleep"
mutant worker M_STATE_LATE "$asleep"
mutant worker M_NO_KICKED "$asleep"
mutant worker M_ARM_NO_MB "$asleep"
mutant worker M_DEAF_STAYS "$asleep"
mutants_done worker
ktap_exit
