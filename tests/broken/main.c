// SPDX-License-Identifier: GPL-2.0
/*
 * A broken host, told by debugfs what to do wrong, as hv's fault injection is.
 * It is the host of the kernel that loads it: pvbus, pvblk and pvnet of that
 * kernel are what is tested, and know nothing of it.
 *
 * In pvbus-broken/ of debugfs:
 *	disk, card	fault to inject ("none": none), which sets done to 0
 *	after		entries that are right before
 *	times		entries that are wrong; 0: all
 *	done		entries that were
 *	late_ms		how late "late" is
 *	mute		devices of which nothing is said: 1 disk, 2 card, 3 both
 *	open		devices whose channel is open: likewise
 *	control		what to do at once
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "broken.h"

#define WORD_MAX	32

static struct broken broken;
static struct dentry *broken_dir;

/* A word that was written, or -EINVAL. */
static ssize_t get_word(char *word, const char __user *buf, size_t count)
{
	if (!count || count >= WORD_MAX)
		return -EINVAL;
	if (copy_from_user(word, buf, count))
		return -EFAULT;
	word[count] = '\0';
	strim(word);
	return count;
}

/* -- faults ------------------------------------------------------------------- */

static int set_fault(struct broken *b, unsigned int dev, const char *word)
{
	const struct broken_fault *f = dev ? broken_card_faults :
					     broken_disk_faults;

	while (f->name && strcmp(f->name, word))
		f++;
	if (!f->name && strcmp(word, "none"))
		return -EINVAL;
	mutex_lock(&b->lock);
	b->fault[dev] = f->name ? f : NULL;
	b->done = 0;
	mutex_unlock(&b->lock);
	return 0;
}

static ssize_t fault_write(struct file *file, const char __user *buf,
			   size_t count, loff_t *pos)
{
	char word[WORD_MAX];
	ssize_t ret = get_word(word, buf, count);
	int err;

	if (ret < 0)
		return ret;
	err = set_fault(&broken, (unsigned long)file->private_data, word);
	return err ? err : ret;
}

static const struct file_operations fault_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= fault_write,
};

/* -- control ------------------------------------------------------------------ */

static void do_down(struct broken *b, unsigned int unused)
{
	broken_set_state(b, PVBUS_HOST_DOWN);
}

static void do_ready(struct broken *b, unsigned int unused)
{
	broken_set_state(b, PVBUS_HOST_READY);
}

static void do_disown(struct broken *b, unsigned int unused)
{
	broken_disown(b);
}

static const struct {
	const char	*word;
	void		(*act)(struct broken *b, unsigned int dev);
	unsigned int	dev;
} controls[] = {
	{ "offer-disk", broken_offer, 0 },
	{ "offer-card", broken_offer, 1 },
	{ "rescind-disk", broken_rescind, 0 },
	{ "rescind-card", broken_rescind, 1 },
	{ "broken-disk", broken_tell_broken, 0 },
	{ "broken-card", broken_tell_broken, 1 },
	{ "down", do_down },
	{ "ready", do_ready },
	{ "disown", do_disown },
};

static ssize_t control_write(struct file *file, const char __user *buf,
			     size_t count, loff_t *pos)
{
	char word[WORD_MAX];
	ssize_t ret = get_word(word, buf, count);
	unsigned int i;

	if (ret < 0)
		return ret;
	for (i = 0; i < ARRAY_SIZE(controls); i++)
		if (!strcmp(word, controls[i].word))
			break;
	if (i == ARRAY_SIZE(controls))
		return -EINVAL;
	mutex_lock(&broken.lock);
	controls[i].act(&broken, controls[i].dev);
	mutex_unlock(&broken.lock);
	return ret;
}

static const struct file_operations control_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.write	= control_write,
};

/* -- module ------------------------------------------------------------------- */

static void make_files(struct broken *b)
{
	broken_dir = debugfs_create_dir("pvbus-broken", NULL);
	debugfs_create_file("disk", 0200, broken_dir, (void *)0UL, &fault_fops);
	debugfs_create_file("card", 0200, broken_dir, (void *)1UL, &fault_fops);
	debugfs_create_file("control", 0200, broken_dir, NULL, &control_fops);
	debugfs_create_u32("after", 0600, broken_dir, &b->after);
	debugfs_create_u32("times", 0600, broken_dir, &b->times);
	debugfs_create_u32("late_ms", 0600, broken_dir, &b->late_ms);
	debugfs_create_u32("mute", 0600, broken_dir, &b->mute);
	debugfs_create_u32("done", 0400, broken_dir, &b->done);
	debugfs_create_u32("open", 0400, broken_dir, &b->open);
}

static int __init broken_init(void)
{
	int err = broken_start(&broken);

	if (!err)
		make_files(&broken);
	return err;
}

static void __exit broken_exit(void)
{
	debugfs_remove_recursive(broken_dir);
	broken_stop(&broken);
}

module_init(broken_init);
module_exit(broken_exit);

MODULE_DESCRIPTION("a host that breaks the rules of pvbus");
MODULE_LICENSE("GPL");
