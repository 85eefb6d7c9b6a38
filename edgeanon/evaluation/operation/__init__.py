"""What a detector costs: time, processor, memory, energy."""

from edgeanon.evaluation.operation.figures import LayerTime, ModelFigures, Operation, Percentiles, Run
from edgeanon.evaluation.operation.measuring import measure_operation
from edgeanon.evaluation.operation.pictures import made, read

__all__ = ["LayerTime", "ModelFigures", "Operation", "Percentiles", "Run", "made", "measure_operation", "read"]
