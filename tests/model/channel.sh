#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Channels, rescinds and resets: the host leaves memory that is not lent to it
# alone, and nobody waits for an answer that does not come.
set -u
. "$(dirname "$0")/../lib/model.sh"

touched='assertion violated lent[page]'
stuck='invalid end state'

holds "channel: no wait needs its time-out" channel
holds "channel: every wait may time out" channel -DHASTY

mutant channel M_ACK_EARLY "$touched"
mutant channel M_ACK_OTHER "$touched" -DHASTY
mutant channel M_CLOSE_NO_STOP "$touched"
mutant channel M_CLOSE_NO_DRAIN "$touched"
mutant channel M_DISOWN_FIRST "$touched"
mutant channel M_FREE_ENDED "$touched"
mutant channel M_FREE_TIMEOUT "$touched" -DHASTY
mutant channel M_OPEN_TIMEOUT_FREE "$touched" -DHASTY
mutant channel M_GENERATION_FIRST "$stuck"
mutant channel M_FORGET_NO_RELEASE "$stuck"
mutant channel M_NO_ABORT "$stuck"
mutant channel M_NO_ROOM "$stuck"
mutant channel M_OPEN_REMOVING 'assertion violated backend' -DHASTY
mutant channel M_NOT_OWED "$stuck" -DHASTY
mutant channel M_REOPEN_ZOMBIE 'assertion violated 0' -DHASTY
mutant channel M_BEGIN_EARLY 'assertion violated  !(d_there)'
mutants_done channel
ktap_exit
