"""The main job: real tensors through the simulated encoder and decoder, checked and measured."""
