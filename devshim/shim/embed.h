/* embed.h: brings an interpreter with the models into this very process, where the run asks for it. */
#ifndef DEVSHIM_EMBED_H
#define DEVSHIM_EMBED_H

#include <stdbool.h>

/* Before a plugged node is opened, in a run with --in-process: see to it that this process's calls are answered here.
 * False with errno where that cannot be; the first time with a line on stderr. */
bool embed_host(void);

/* False while this program has a Python of its own that is still starting or importing: then the host can come later
 * only. */
bool may_embed(void);

/* Before main(): have the host come into a Python program as soon as its interpreter runs what it was started for. */
void embed_host_with_python(void);

#endif
