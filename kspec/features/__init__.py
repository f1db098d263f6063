"""What the inputs and outputs of a model are: kinds, steps, decisions, the signature, and the
description of a bundle. Every other room asks here instead of looking at a kind itself."""
