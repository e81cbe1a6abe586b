/*-
 * Copyright (c) 2026 The vmod_sandbox authors
 * SPDX-License-Identifier: BSD-2-Clause
 *
 * VM_STATE(name, may go to, text). The picture is in doc/design.rst.
 */

#define TO(name)		(1u << SBX_VM_##name)

VM_STATE(NEW,	TO(READY) | TO(DEAD),		"being stamped")
VM_STATE(READY,	TO(LENT) | TO(DEAD),		"as the golden image is")
VM_STATE(LENT,	TO(SPENT) | TO(DEAD),		"has a request, not all of it")
VM_STATE(SPENT,	TO(READY) | TO(DEAD),		"has answered, to be reset")
VM_STATE(DEAD,	0u,				"to be destroyed")
#undef VM_STATE
#undef TO
