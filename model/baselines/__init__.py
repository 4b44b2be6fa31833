# SPDX-License-Identifier: Apache-2.0
"""What the codecs of this project are compared with: codecs of accelerators and general ones."""
