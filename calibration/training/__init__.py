"""Networks of our own: pictures, drawn plates, scenes, network, loss, training, export. Needs the extra `training`.

    python -m calibration.training --data FOLDER --out RUN

makes the shipped plate model from the pictures that ``pictures.json`` names by hash and from plates that are drawn.
"""
