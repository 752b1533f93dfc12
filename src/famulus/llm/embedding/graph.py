"""The network of all-MiniLM-L6-v2 as an ONNX graph with weights of 8 bits, made from the published weights.

A BERT encoder of six layers (Devlin et al., 2019), distilled (Wang et al., 2020, MiniLM), whose token vectors are
averaged to the vector of the text, of length 1 (Reimers and Gurevych, 2019, Sentence-BERT). Weights are quantized
symmetrically with one scale per output channel: with one for a whole matrix, retrieval loses up to four points.
Activations are quantized at run time. Needs `onnx` and NumPy, and no framework of deep learning.

    ids, mask [texts, tokens] int32 ─▶ vectors [texts, 384] float32
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

LAYERS, HEADS, WIDTH = 6, 12, 384
EPSILON = 1e-12
STEPS = 127
"""Of a weight, to either side of zero."""
OPSET, OWN_OPSET, IR = 17, 1, 8

Weights = Mapping[str, NDArray[np.float32]]


def build(weights: Weights, *, quantized: bool = True) -> bytes:
    """The model file; without quantization it is four times as large and the yardstick for the other."""
    graph = _Graph(weights, quantized)
    x = graph.embed()
    for layer in range(LAYERS):
        x = graph.layer(x, f"encoder.layer.{layer}.")
    graph.pool(x)
    return graph.model().SerializeToString()


class _Graph:
    """Nodes in their order, each named by what it yields."""

    def __init__(self, weights: Weights, quantized: bool) -> None:
        self._weights = weights
        self._quantized = quantized
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def embed(self) -> str:
        """Vectors of words and of places, added and normalized."""
        prefix = "embeddings."
        words = self._weights[prefix + "word_embeddings.weight"]
        places = self._weights[prefix + "position_embeddings.weight"]
        places = places + self._weights[prefix + "token_type_embeddings.weight"][0]
        if self._quantized:
            small, scales = _channels(words)
            taken = self._node("Gather", self._keep("words", small), "ids")
            wide = self._node("Cast", taken, to=TensorProto.FLOAT)
            scale = self._node("Gather", self._keep("word_scales", scales[:, None]), "ids")
            x = self._node("Mul", wide, scale)
        else:
            x = self._node("Gather", self._keep("words", words), "ids")
        length = self._node("Slice", self._node("Shape", "ids"), *(self._number(n) for n in (1, 2)))
        place = self._node("Slice", self._keep("places", places), self._number(0), length, self._number(0))
        return self._node(
            "LayerNormalization", self._node("Add", x, place), *self._norm(prefix), epsilon=EPSILON
        )

    def layer(self, x: str, prefix: str) -> str:
        """One layer: what each token takes from the others, then what it makes of it."""
        own = prefix + "attention.self."
        names = [own + part for part in ("query", "key", "value")]
        matrix = np.concatenate([self._weights[name + ".weight"] for name in names])
        bias = np.concatenate([self._weights[name + ".bias"] for name in names])
        together = self._matmul(own + "all", x, matrix, bias)
        parts = [f"{own}{part}.out" for part in ("query", "key", "value")]
        self._nodes.append(helper.make_node("Split", [together], parts, axis=-1))
        lengths = self._node("ReduceSum", "mask", self._number(1), keepdims=0)
        attended = self._ours("MultiHeadAttention", *parts, "", lengths, num_heads=HEADS)
        x = self._added(x, attended, prefix + "attention.output.")
        inner = self._ours("Gelu", self._dense(x, prefix + "intermediate.dense"))
        return self._added(x, inner, prefix + "output.")

    def pool(self, x: str) -> None:
        """The mean over a text's tokens, brought to length 1."""
        mask = self._node("Cast", "mask", to=TensorProto.FLOAT)
        wide = self._node("Unsqueeze", mask, self._number(2))
        total = self._node("ReduceSum", self._node("Mul", x, wide), self._number(1), keepdims=0)
        # The mean differs from the sum by a factor, which the length takes away.
        self._nodes.append(helper.make_node("LpNormalization", [total], ["vectors"], axis=-1, p=2))

    def model(self) -> onnx.ModelProto:
        """All of it, checked."""
        shape = ["texts", "tokens"]
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT32, shape) for name in ("ids", "mask")]
        output = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["texts", WIDTH])
        graph = helper.make_graph(self._nodes, "all-MiniLM-L6-v2", inputs, [output], self._constants)
        opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("com.microsoft", OWN_OPSET)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=IR, producer_name="famulus")

    def _added(self, x: str, y: str, prefix: str) -> str:
        """`y` through a dense layer, added to `x` and normalized."""
        dense = self._dense(y, prefix + "dense")
        return self._ours("SkipLayerNormalization", x, dense, *self._norm(prefix), epsilon=EPSILON)

    def _dense(self, x: str, name: str) -> str:
        return self._matmul(name, x, self._weights[name + ".weight"], self._weights[name + ".bias"])

    def _matmul(self, name: str, x: str, matrix: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        """`matrix` is [out, in], as it was published."""
        bias_name = self._keep(name + ".bias", bias)
        if not self._quantized:
            kept = self._keep(name, np.ascontiguousarray(matrix.T))
            return self._node("Add", self._node("MatMul", x, kept), bias_name)
        small, scales = _channels(matrix)
        kept = self._keep(name, np.ascontiguousarray(small.T))
        zeros = self._keep(name + ".zeros", np.zeros(len(scales), np.int8))
        scale = self._keep(name + ".scales", scales)
        return self._ours("DynamicQuantizeMatMul", x, kept, scale, zeros, bias_name)

    def _norm(self, prefix: str) -> tuple[str, str]:
        names = (prefix + "LayerNorm.weight", prefix + "LayerNorm.bias")
        return self._keep(names[0], self._weights[names[0]]), self._keep(names[1], self._weights[names[1]])

    def _number(self, value: int) -> str:
        name = f"number.{value}"
        if all(constant.name != name for constant in self._constants):
            self._keep(name, np.array([value], np.int64))
        return name

    def _keep(self, name: str, value: NDArray[Any]) -> str:
        self._constants.append(numpy_helper.from_array(value, name))
        return name

    def _ours(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node of onnxruntime's own set."""
        return self._node(kind, *inputs, domain="com.microsoft", **attributes)

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind}.{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name


def _channels(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Each row as whole numbers, and what one of them is worth there."""
    scales: NDArray[np.float32] = np.maximum(np.abs(matrix).max(axis=1), 1e-8) / STEPS
    return np.round(matrix / scales[:, None]).astype(np.int8), scales.astype(np.float32)
