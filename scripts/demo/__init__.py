# SPDX-License-Identifier: Apache-2.0
"""The main job: real tensors through compressor and decompressor, checked and measured."""
