# Copyright (c) 2026 The vmod_sandbox authors
# SPDX-License-Identifier: BSD-2-Clause
#
# The source tree, for the tests that do nothing but read it, and what they
# have found to be wrong. The tree is their first argument.

import os
import sys

top = sys.argv[1]
bad = 0


def complain(text):
    global bad
    bad += 1
    print(text)


def read(name):
    with open(os.path.join(top, name)) as f:
        return f.read()
