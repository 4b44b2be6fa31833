# SPDX-License-Identifier: Apache-2.0
"""The main job: real tensors through the hardware and back, checked and measured."""
