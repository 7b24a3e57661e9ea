"""The transformer of BERT and its kin as a graph for ONNX Runtime.

The graph is written from the weights directly. Torch's exporter would need another package, minutes for a
large model, and a pass that finds the operators below in what it wrote:

    SkipLayerNormalization   adds the bias and the residual, then normalises, in one pass
    BiasGelu                 the exact GELU (with erf) of a sum
    MultiHeadAttention       with the biases of its three inputs

All of it is float32: vectors agree with those of sentence-transformers to five digits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

# Their modules and weights are named alike; where their positions begin is what differs.
_FIRST_POSITION = {"bert": 0, "roberta": 1, "xlm-roberta": 1, "camembert": 1}
_OPSET, _MICROSOFT, _IR_VERSION = 17, "com.microsoft", 8


class Unsupported(Exception):
    """A model that no graph can be written for; the message says why."""


class BertGraph:
    """A graph under construction, and its weights, which are kept beside it.

    The model takes `words` (texts, tokens, width), the embeddings of the tokens with their positions, and
    `lengths` (texts,), how many of them are text and not padding. It gives `tokens`, of the shape of
    `words`.
    """

    def __init__(self, config: Mapping[str, Any], weights: Mapping[str, NDArray[Any]]) -> None:
        """Write the graph.

        Args:
            config: config.json of the model.
            weights: its arrays by name.

        Raises:
            Unsupported: the model is of another kind, or a weight is missing.
        """
        self._config = config
        self._weights = _without_prefix(weights)
        self._nodes: list[NodeProto] = []
        self.constants: dict[str, NDArray[np.float32]] = {}
        _check(config)
        words = self._node(
            "LayerNormalization", ["words", *self._norm("embeddings")], epsilon=self._epsilon
        )
        for index in range(int(config["num_hidden_layers"])):
            words = self._layer(f"encoder.layer.{index}", words)
        self._nodes[-1].output[0] = "tokens"

    @property
    def width(self) -> int:
        """Numbers in the vector of a token."""
        return int(self._config["hidden_size"])

    @property
    def words(self) -> NDArray[Any]:
        """The table of the tokens (vocabulary, width), in the type that it is stored in."""
        return self._stored("embeddings.word_embeddings.weight")

    @property
    def positions(self) -> NDArray[np.float32]:
        """What is added to the tokens, by position: (positions, width)."""
        first = _FIRST_POSITION[self._config["model_type"]]
        # The kin of RoBERTa count from the id of the padding on.
        start = first and int(self._config["pad_token_id"]) + first
        kind = self._array("embeddings.token_type_embeddings.weight")[0]
        table = self._array("embeddings.position_embeddings.weight")[start:]
        return np.asarray(table + kind)

    def serialised(self) -> bytes:
        """Return the model for ONNX Runtime, without its `constants`."""
        from onnx import TensorProto, helper

        shape: list[str | int | None] = ["texts", "tokens", self.width]
        graph = helper.make_graph(
            self._nodes,
            "bert",
            [
                helper.make_tensor_value_info("words", TensorProto.FLOAT, shape),
                helper.make_tensor_value_info("lengths", TensorProto.INT32, ["texts"]),
            ],
            [helper.make_tensor_value_info("tokens", TensorProto.FLOAT, shape)],
            [_declared(name, array.shape) for name, array in self.constants.items()],
        )
        opsets = [helper.make_opsetid("", _OPSET), helper.make_opsetid(_MICROSOFT, 1)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION)
        return bytes(model.SerializeToString())

    def _layer(self, name: str, words: str) -> str:
        """Add one layer (Vaswani et al., 2017, norms after the residuals) and return its output."""
        attention, output = f"{name}.attention", f"{name}.attention.output"
        inputs = ("query", "key", "value")
        seen = self._node(
            "MultiHeadAttention",
            [
                *(self._product(words, f"{attention}.self.{part}") for part in inputs),
                self._constant(
                    f"{attention}.self.bias",
                    np.concatenate(
                        [self._array(f"{attention}.self.{part}.bias") for part in inputs]
                    ),
                ),
                "lengths",
            ],
            num_heads=int(self._config["num_attention_heads"]),
        )
        words = self._residual(self._product(seen, f"{output}.dense"), words, output)
        inner = self._node(
            "BiasGelu",
            [
                self._product(words, f"{name}.intermediate.dense"),
                self._bias(f"{name}.intermediate.dense"),
            ],
        )
        product = self._product(inner, f"{name}.output.dense")
        return self._residual(product, words, f"{name}.output")

    def _residual(self, product: str, words: str, name: str) -> str:
        inputs = [product, words, *self._norm(name), self._bias(f"{name}.dense")]
        return self._node("SkipLayerNormalization", inputs, epsilon=self._epsilon)

    def _product(self, words: str, name: str) -> str:
        weight = self._constant(f"{name}.weight", self._array(f"{name}.weight").T)
        return self._node("MatMul", [words, weight])

    def _norm(self, name: str) -> tuple[str, str]:
        names = f"{name}.LayerNorm.weight", f"{name}.LayerNorm.bias"
        scale, shift = (self._constant(each, self._array(each)) for each in names)
        return scale, shift

    def _bias(self, name: str) -> str:
        return self._constant(f"{name}.bias", self._array(f"{name}.bias"))

    def _constant(self, name: str, array: NDArray[np.float32]) -> str:
        self.constants[name] = np.ascontiguousarray(array)
        return name

    def _node(self, operator: str, inputs: Sequence[str], **attributes: Any) -> str:
        from onnx import helper

        name = f"{operator}.{len(self._nodes)}"
        domain = "" if operator in {"MatMul", "LayerNormalization"} else _MICROSOFT
        self._nodes.append(
            helper.make_node(operator, inputs, [name], name, domain=domain, **attributes)
        )
        return name

    def _array(self, name: str) -> NDArray[np.float32]:
        return self._stored(name).astype(np.float32)

    def _stored(self, name: str) -> NDArray[Any]:
        if name not in self._weights:
            raise Unsupported(f"it has no weight {name}")
        return self._weights[name]

    @property
    def _epsilon(self) -> float:
        return float(self._config.get("layer_norm_eps", 1e-12))


def _check(config: Mapping[str, Any]) -> None:
    kind, activation = config.get("model_type"), config.get("hidden_act", "gelu")
    if kind not in _FIRST_POSITION:
        raise Unsupported(f"model_type is {kind!r}, not one of {', '.join(_FIRST_POSITION)}")
    if activation != "gelu":
        raise Unsupported(f"hidden_act is {activation!r}, not 'gelu'")
    if config.get("position_embedding_type", "absolute") != "absolute":
        raise Unsupported("its positions are not absolute")
    if config.get("is_decoder") or config.get(
        "embedding_size", config.get("hidden_size")
    ) != config.get("hidden_size"):
        raise Unsupported("it is a decoder, or its embeddings are not as wide as its layers")


def _without_prefix(weights: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Return the weights named as in a bare model (`bert.encoder…` where a head was trained on top)."""
    found = next(
        (name for name in weights if name.endswith("embeddings.word_embeddings.weight")), ""
    )
    prefix = found.removesuffix("embeddings.word_embeddings.weight")
    return {name.removeprefix(prefix): array for name, array in weights.items()}


def _declared(name: str, shape: Sequence[int]) -> TensorProto:
    """Name a weight that comes from outside of the model's file: a file may not pass 2 GB."""
    from onnx import TensorProto

    tensor = TensorProto(
        name=name,
        data_type=TensorProto.FLOAT,
        dims=shape,
        data_location=TensorProto.EXTERNAL,
    )
    tensor.external_data.add(key="location", value="memory")
    return tensor
