"""What the codecs of this project are compared with: codecs of accelerators and general ones."""
