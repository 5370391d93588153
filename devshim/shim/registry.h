/* registry.h: what is plugged in this run, as the host wrote it into shared memory. */
#ifndef DEVSHIM_REGISTRY_H
#define DEVSHIM_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/* The mapped registry, or NULL where this process belongs to no run. */
extern const struct registry *registry;

/* $DEVSHIM_RUN, without a trailing slash; "" where this process belongs to no run. */
#define RUN_DIRECTORY 98 /* with "/registry" behind it, it fits a socket's address */
extern char run_directory[RUN_DIRECTORY];

/* Map the registry of the run named by $DEVSHIM_RUN, if any. Called once, by start(). */
void map_registry(void);

/* A run by its directory and its registry. The outer one is that which this process was started in, while it has a host of
 * its own; registry: NULL where there is none. */
struct run {
    const char *directory;
    const struct registry *registry;
};
struct run this_run(void);
struct run outer_run(void);

/* Join the run in a directory instead, from within its host's own process. False with errno where that cannot be. */
bool lend_registry(const char *directory);

/* Leave it again: from now on nothing is plugged. What others look at meanwhile stays readable. */
void give_back_registry(void);

/* The node at an absolute, normal path, or NULL. */
const struct node *find_node(const char *path, size_t length);

/* The same for a path, or for the nearest directory above it that is a node; or NULL. */
const struct node *nearest_node(const char *path, size_t length);

/* The carrier with this inode, or NULL. */
const struct carrier *find_carrier(uint64_t dev, uint64_t inode);

/* The place of a carrier's entry in the registry, and what is at such a place now: NULL where that is no carrier. */
uint32_t carrier_place(const struct carrier *carrier);
const struct carrier *carrier_in(uint32_t place);

const struct device *registry_device(uint32_t index);

/* A text or table at an offset of the registry's text area; "" beyond its end. */
const void *registry_text(uint32_t offset);

#endif
