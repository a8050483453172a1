/* SPDX-License-Identifier: GPL-2.0 */
/* In place of include/pvbus/compat.h: there is one kernel here, shim.h. */
#include "../shim.h"
