"""How things move from picture to picture: boxes, the camera, and whether it is still the same scene."""

from edgeanon.motion.camera import Camera, Look
from edgeanon.motion.kalman import Motion, State, expected, measured, sizes, spread
from edgeanon.motion.scene import Scene

__all__ = ["Camera", "Look", "Motion", "Scene", "State", "expected", "measured", "sizes", "spread"]
