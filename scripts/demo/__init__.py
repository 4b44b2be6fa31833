"""The main job: real tensors through compressor and decompressor, checked and measured."""
