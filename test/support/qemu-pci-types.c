/*
 * Preloaded into QEMU: device types that show PCI ids of one's choice. QEMU has no option for them.
 *
 *   INGOT_PCI_TYPES='h100=10de:2330:0302:10de:16c1 mi300=1002:74a1:1200:1002:74a1'
 *   qemu-system-x86_64 ... -device h100 -device mi300,membar=64M
 *
 * Each type is QEMU's pci-testdev, a device that does nothing and can have a memory window, under another name and with
 * these ids: vendor, device, class, subsystem vendor, subsystem. QEMU exports its object model for its own modules, so
 * that types can be registered before main(). Its headers are not needed: a class begins as a copy of its parent's, and
 * the ids are found in it by the values that pci-testdev has.
 *
 * Ends the process with a message where QEMU is not as expected, rather than show a device that is something else.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* TypeInfo of QEMU's object model (qom/object.h), the same since version 5.2. */
struct type_info {
	const char *name;
	const char *parent;
	size_t instance_size;
	size_t instance_align;
	void (*instance_init)(void *);
	void (*instance_post_init)(void *);
	void (*instance_finalize)(void *);
	bool is_abstract;
	size_t class_size;
	void (*class_init)(void *, void *);
	void (*class_base_init)(void *, void *);
	void *class_data;
	void *interfaces;
};

/* The ids in PCIDeviceClass (hw/pci/pci_device.h). */
struct ids {
	uint16_t vendor;
	uint16_t device;
	uint8_t revision;
	uint8_t padding;
	uint16_t class;
	uint16_t subsystem_vendor;
	uint16_t subsystem;
};

static const struct ids testdev = { .vendor = 0x1b36, .device = 0x0005, .class = 0x00ff };

static void fail(const char *what, const char *about)
{
	fprintf(stderr, "INGOT_PCI_TYPES: %s: %s\n", what, about);
	_Exit(3);
}

static bool is_testdev(const struct ids *ids)
{
	return ids->vendor == testdev.vendor && ids->device == testdev.device && ids->revision == testdev.revision &&
	       ids->class == testdev.class && ids->subsystem_vendor == 0 && ids->subsystem == 0;
}

static void set_ids(void *class, void *wanted)
{
	struct ids *found = NULL;
	size_t size = malloc_usable_size(class);
	for (size_t at = 0; at + sizeof(struct ids) <= size; at += _Alignof(struct ids)) {
		struct ids *candidate = (struct ids *)((char *)class + at);
		if (!is_testdev(candidate))
			continue;
		if (found != NULL)
			fail("more than one place looks like the ids of", "pci-testdev");
		found = candidate;
	}
	if (found == NULL)
		fail("this QEMU keeps them elsewhere, the ids of", "pci-testdev");
	*found = *(const struct ids *)wanted;
}

static void register_type(void (*type_register)(const struct type_info *), const char *word)
{
	struct type_info *type = calloc(1, sizeof *type);
	struct ids *ids = calloc(1, sizeof *ids);
	char *name = NULL;
	if (type == NULL || ids == NULL)
		fail("no memory", word);
	if (sscanf(word, "%m[^=]=%hx:%hx:%hx:%hx:%hx", &name, &ids->vendor, &ids->device, &ids->class,
		   &ids->subsystem_vendor, &ids->subsystem) != 6)
		fail("want name=vendor:device:class:subvendor:subdevice", word);
	type->name = name;
	type->parent = "pci-testdev";
	type->class_init = set_ids;
	type->class_data = ids;
	type_register(type);
}

__attribute__((constructor)) static void register_types(void)
{
	void (*type_register)(const struct type_info *) = NULL;
	*(void **)&type_register = dlsym(RTLD_DEFAULT, "type_register_static");
	char *words = getenv("INGOT_PCI_TYPES");
	/* What starts QEMU is preloaded, too. */
	if (type_register == NULL || words == NULL)
		return;
	words = strdup(words);
	for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
		register_type(type_register, word);
}
