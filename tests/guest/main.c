// SPDX-License-Identifier: GPL-2.0
/*
 * Tests of the guest's bus core against a host that is slow, absent or hostile.
 *
 * Loading the module runs them and prints KTAP to the kernel log. It then fails
 * to load, so that it never has to be unloaded: with ECANCELED when all passed,
 * with EINVAL when one failed. Together they take about three minutes, most of
 * which is waiting for time limits: several VMs may share them out by name.
 */
#define pr_fmt(fmt) fmt

#include <linux/module.h>

#include "mock.h"

#define CASES_NAMED	8

static char *only[CASES_NAMED];
static unsigned int only_nr;
module_param_array(only, charp, &only_nr, 0444);
MODULE_PARM_DESC(only, "run the cases of these names only");

static char *except[CASES_NAMED];
static unsigned int except_nr;
module_param_array(except, charp, &except_nr, 0444);
MODULE_PARM_DESC(except, "run all cases but those of these names");

/* Of the case that runs. */
static bool failed;

void mock_expect(bool cond, const char *what, const char *func, int line)
{
	if (cond)
		return;
	pr_info("# %s:%d: not true: %s\n", func, line, what);
	failed = true;
}

bool with_device(struct mock *m, unsigned int queues)
{
	mock_drv.queues = queues;
	EXPECT(mock_until(m, 5, m->count[PVBUS_MSG_HELLO] == 1));
	mock_offer(m, PVBUS_MSG_OFFER, 1, 11);
	EXPECT(mock_until(m, 5, mock_count(probes) == 1));
	EXPECT(!mock_count(failed));
	return !failed;
}

static bool run_case(const struct mock_case *c)
{
	struct mock *m = mock_new();
	int err;

	failed = false;
	if (!m)
		return false;
	err = mock_driver_register();
	EXPECT(!err);
	if (!err && strncmp(c->name, "un_", 3))
		EXPECT(!mock_attach(m));
	if (!failed)
		c->run(m, c);
	mock_mute(m, m->mute & MOCK_NO_RESET);
	mock_detach(m);
	EXPECT(mock_count(probes) == mock_count(removes));
	if (!err)
		mock_driver_unregister();
	mock_free(m);
	return !failed;
}

static bool wanted(const struct mock_case *c)
{
	unsigned int i;

	for (i = 0; i < only_nr; i++)
		if (!strcmp(only[i], c->name))
			return true;
	for (i = 0; i < except_nr; i++)
		if (!strcmp(except[i], c->name))
			return false;
	return !only_nr;
}

static unsigned int run_cases(const struct mock_case *c, unsigned int *nr)
{
	unsigned int bad = 0;

	for (; c->name; c++) {
		(*nr)++;
		if (!wanted(c)) {
			pr_info("ok %u %s # SKIP\n", *nr, c->name);
		} else if (run_case(c)) {
			pr_info("ok %u %s\n", *nr, c->name);
		} else {
			pr_info("not ok %u %s\n", *nr, c->name);
			bad++;
		}
	}
	return bad;
}

static int __init mock_init(void)
{
	unsigned int nr = 0, bad = 0;

	pr_info("KTAP version 1\n");
	bad += run_cases(mock_cases, &nr);
	bad += run_cases(mock_spoilt_cases, &nr);
	bad += run_cases(mock_fuzz_cases, &nr);
	pr_info("1..%u\n# failed:%u\n", nr, bad);
	return bad ? -EINVAL : -ECANCELED;
}

module_init(mock_init);

MODULE_DESCRIPTION("tests of the pvbus guest's bus core");
MODULE_LICENSE("GPL");
