# SPDX-License-Identifier: GPL-3.0-or-later
"""Trains a network of PyTorch on the files of a folder. The files are described in docs/frameworks.md."""
import contextlib
import hashlib
import importlib.util
import json
import math
import os
import platform
import signal
import sys
import traceback
from pathlib import Path

CHECKPOINT = Path("checkpoint.pt")
BATCH = 4096
"""Rows that are predicted at a time."""

# What cuBLAS takes to sum in one order; read when it is loaded.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
try:
    import numpy
    import torch
    from torch import nn
except ImportError as error:
    print(json.dumps({"error": "configuration", "message": f"the Python package {error.name} is not installed"}))
    sys.exit(3)


def say(**event):
    print(json.dumps(event), flush=True)


def refuse(kind, message, **more):
    """Messages of ours name no value of a row; those of exceptions might, and stay in the log."""
    say(error=kind, message=message, **more)
    sys.exit(3)


class Whole(nn.Module):
    """A network that takes rows as they are, and gives probabilities of classes, or numbers in the label's unit."""

    def __init__(self, network, scale, target):
        super().__init__()
        self.network = network
        for name, value in zip(("mean", "deviation", "zero", "unit"), (*scale, *(target or (None, None)))):
            self.register_buffer(name, value)

    def forward(self, rows):
        outputs = self.network((rows - self.mean) / self.deviation)
        return torch.softmax(outputs, 1) if self.unit is None else outputs * self.unit + self.zero


class Pipeline(nn.Module):
    """Layers one after the other, as many on each device as on any."""

    def __init__(self, layers, devices):
        super().__init__()
        each = math.ceil(len(layers) / len(devices))
        self.devices = devices
        parts = [nn.Sequential(*layers[at * each : (at + 1) * each]) for at in range(len(devices))]
        self.parts = nn.ModuleList(part.to(device) for part, device in zip(parts, devices))

    def forward(self, rows):
        for part, device in zip(self.parts, self.devices):
            rows = part(rows.to(device))
        return rows


def device_of(request):
    wanted, found = request["device"], torch.cuda.is_available()
    if wanted == "cuda" and not found:
        refuse("configuration", "training.device is cuda, and PyTorch finds no such GPU here; cpu and auto run")
    device = torch.device("cpu" if wanted == "cpu" or not found else "cuda")
    precision = request["precision"]
    if precision == "float16" and device.type == "cpu":
        refuse("configuration", "training.precision float16 is for GPUs; on a processor there are bfloat16 and float32")
    if precision == "bfloat16" and device.type == "cuda" and not torch.cuda.is_bf16_supported(False):
        refuse("configuration", "this GPU has no bfloat16: use training.precision float16 or float32")
    if request["parallel"] != "none" and (device.type == "cpu" or torch.cuda.device_count() < 2):
        refuse("configuration", f"training.parallel {request['parallel']} takes two GPUs or more, and they are not here")
    return device


def network_of(request, device):
    inputs, outputs = len(request["features"]), max(request["classes"], 1)
    network = built(request["module"], inputs, outputs) if "module" in request else perceptron(request, inputs, outputs)
    if request["parallel"] == "model":
        if not isinstance(network, nn.Sequential):
            refuse("configuration", "training.parallel model takes a network that is an nn.Sequential")
        return Pipeline(list(network), [f"cuda:{index}" for index in range(torch.cuda.device_count())])
    network = network.to(device)
    return nn.DataParallel(network) if request["parallel"] == "data" else network


def perceptron(request, inputs, outputs):
    given = request["hyperparameters"]
    activation = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU}[given["activation"]]
    layers = []
    for units in given["hidden_layer_sizes"]:
        layers += [nn.Linear(inputs, units), activation(), nn.Dropout(given["dropout"])]
        inputs = units
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def built(file, inputs, outputs):
    """By the owner's function `build`, whose file comes with the configuration; no file of a contributor's is run."""
    name = Path(file).name
    spec = importlib.util.spec_from_file_location("network", file)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        network = module.build(inputs, outputs)
        with torch.no_grad():
            shape = tuple(network.eval()(torch.zeros(2, inputs)).shape)
    except Exception as error:
        print(repr(error), file=sys.stderr)
        refuse("configuration", f"{name} gives no network by build(inputs, outputs): {type(error).__name__}")
    if shape != (2, outputs):
        refuse("configuration", f"the network of {name} gives {shape} for 2 rows, expected (2, {outputs})")
    return network


def scale_of(values):
    deviation, mean = torch.std_mean(values.double(), 0, correction=0)
    return mean.float(), torch.where(deviation > 0, deviation, 1.0).float()


def seeded(*parts):
    """Of the processor and every GPU."""
    torch.manual_seed(int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:7], "big"))


def loss_of(request, labels):
    if request["classes"] == 0:
        return nn.MSELoss()
    given, classes = request["hyperparameters"]["class_weight"], request["classes"]
    if isinstance(given, list) and len(given) != classes:
        refuse("configuration", f"class_weight has {len(given)} weights, and there are {classes} classes")
    counts = torch.bincount(labels, minlength=classes).clamp(min=1)
    weights = len(labels) / (classes * counts) if given == "balanced" else torch.tensor(given or [1.0] * classes)
    return nn.CrossEntropyLoss(weight=weights.float().to(labels.device))


def optimiser_of(given, network):
    kind = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD, "rmsprop": torch.optim.RMSprop}[given["optimizer"]]
    return kind(network.parameters(), lr=given["learning_rate"], weight_decay=given["weight_decay"])


class Fit:
    """Training, epoch by epoch, from a checkpoint where there is one: to the bit as if nobody had stopped it."""

    def __init__(self, request, network, rows, labels):
        self.request, self.network, self.rows, self.labels = request, network, rows, labels
        self.given = request["hyperparameters"]
        self.loss = loss_of(request, labels)
        self.optimiser = optimiser_of(self.given, network)
        device = rows.device.type
        mixed = {"bfloat16": torch.bfloat16, "float16": torch.float16}.get(request["precision"])
        self.precision = lambda: torch.autocast(device, mixed) if mixed else contextlib.nullcontext()
        self.scaler = torch.amp.GradScaler(device, enabled=mixed == torch.float16)
        self.best, self.epoch, self.stopping = None, 0, False
        signal.signal(signal.SIGTERM, lambda *_: setattr(self, "stopping", True))

    def run(self):
        learned, held = self.split()
        self.resume()
        while self.epoch < self.given["epochs"]:
            if self.best and self.epoch - self.best["epoch"] > self.given["patience"]:
                break
            loss = self.learn(learned)
            measured = self.measure(held) if len(held) else loss
            if not math.isfinite(measured):
                refuse("terminal", "the loss is no finite number any more: a smaller learning_rate may help")
            if len(held) and (self.best is None or measured < self.best["loss"]):
                copied = {name: value.clone() for name, value in self.network.state_dict().items()}
                self.best = {"loss": measured, "epoch": self.epoch, "network": copied}
            self.epoch += 1
            self.tell(measured)
        if self.best:
            self.network.load_state_dict(self.best["network"])

    def split(self):
        """Rows that are learned from, and those held out, where training ends early."""
        count = len(self.rows)
        if not self.given["early_stopping"] or count < 2:
            return torch.arange(count), torch.arange(0)
        seeded(self.request["seed"], "held out")
        drawn = torch.randperm(count)
        held = min(count - 1, max(1, round(count * self.given["validation_fraction"])))
        return drawn[held:], drawn[:held]

    def learn(self, rows):
        """One pass over rows, batch by batch: the mean of the losses on the way."""
        seeded(self.request["seed"], "epoch", self.epoch)
        self.network.train()
        total = 0.0
        for batch in rows[torch.randperm(len(rows))].split(self.given["batch_size"]):
            self.optimiser.zero_grad()
            with self.precision():
                loss = self.loss(self.outputs(batch), self.labels[batch])
            self.scaler.scale(loss).backward()
            self.scaler.step(self.optimiser)
            self.scaler.update()
            total += loss.item() * len(batch)
        return total / len(rows)

    def outputs(self, batch):
        return self.network(self.rows[batch]).to(self.labels.device)

    def measure(self, rows):
        self.network.eval()
        with torch.no_grad(), self.precision():
            return self.loss(self.outputs(rows), self.labels[rows]).item()

    def tell(self, loss):
        epochs = self.given["epochs"]
        if self.stopping or self.epoch % self.given["checkpoint_every"] == 0:
            self.keep()
        say(progress=0.9 * self.epoch / epochs, text=f"epoch {self.epoch} of {epochs}", epoch=self.epoch, loss=loss)
        if self.stopping:
            refuse("retryable", f"it was stopped, and goes on from epoch {self.epoch}")

    def state(self):
        return {"network": self.network, "optimiser": self.optimiser, "scaler": self.scaler}

    def keep(self):
        """Whole or not at all."""
        states = {name: part.state_dict() for name, part in self.state().items()}
        torch.save({"of": fingerprint(), "epoch": self.epoch, "best": self.best, **states}, "part")
        os.replace("part", CHECKPOINT)

    def resume(self):
        """From tensors and numbers of our own alone: whatever else a file may hold is refused by `weights_only`."""
        if not CHECKPOINT.exists():
            return
        try:
            kept = torch.load(CHECKPOINT, weights_only=True, map_location=self.rows.device)
        except Exception as error:
            # Begun anew: what a disk or anybody else made of it is no finding about data.
            print(repr(error), file=sys.stderr)
            return
        if kept["of"] != fingerprint():
            return
        for name, part in self.state().items():
            part.load_state_dict(kept[name])
        self.epoch, self.best = kept["epoch"], kept["best"]
        say(progress=0, text=f"goes on from epoch {self.epoch}", resumed=self.epoch)


def fingerprint():
    """Of all that training follows from: a checkpoint of anything else is not gone on from."""
    digest = hashlib.sha256()
    for name in ("request.json", "features.npy", "labels.npy"):
        digest.update(Path(name).read_bytes())
    return digest.hexdigest()


def predicted(whole, rows):
    whole.eval()
    with torch.no_grad():
        parts = [whole(part).float().cpu() for part in rows.split(BATCH)]
    return torch.cat(parts).double().numpy()


def leave(whole, request):
    device = torch.device("cpu")
    if isinstance(whole.network, (nn.DataParallel, Pipeline)):
        parts = whole.network.module if isinstance(whole.network, nn.DataParallel) else whole.network.parts
        whole.network = nn.Sequential(*parts) if isinstance(parts, nn.ModuleList) else parts
    whole = whole.to(device)
    outputs = predicted(whole, table("predict"))
    if request["classes"] == 0:
        numpy.save("predictions.npy", outputs[:, 0])
    else:
        numpy.save("predictions.npy", outputs.argmax(1).astype("<f8"))
        numpy.save("probabilities.npy", outputs.clip(0, 1))
    say(progress=0.95, text="convert")
    names = {"input_names": ["features"], "output_names": ["probabilities" if request["classes"] else "value"]}
    # The newer exporter writes paths of this machine into the model, and takes a package more.
    rows = torch.zeros(2, len(request["features"]))
    axes = {name: {0: "rows"} for name in ("features", *names["output_names"])}
    torch.onnx.export(whole, (rows,), "model.onnx", dynamo=False, dynamic_axes=axes, **names)


def table(name):
    return torch.from_numpy(numpy.load(f"{name}.npy").astype(numpy.float32))


def wants_memory(error):
    first = ("[enforce fail at alloc_cpu", "DefaultCPUAllocator", "CUDA error: out of memory", "unable to mmap")
    allocator = isinstance(error, RuntimeError) and str(error).startswith(first)
    return allocator or isinstance(error, (MemoryError, torch.OutOfMemoryError))


def main(folder):
    os.chdir(folder)
    request = json.loads(Path("request.json").read_text("utf-8"))
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    # oneDNN chooses by the processor.
    torch.backends.mkldnn.enabled = False
    device = device_of(request)
    try:
        rows, labels = table("features"), torch.from_numpy(numpy.load("labels.npy"))
        scale = scale_of(rows)
        target = scale_of(labels[:, None]) if request["classes"] == 0 else None
        labels = ((labels[:, None] - target[0]) / target[1]).float() if target else labels.long()
        seeded(request["seed"], "weights")
        network = network_of(request, device)
        Fit(request, network, ((rows - scale[0]) / scale[1]).to(device), labels.to(device)).run()
        say(progress=0.9, text="predict")
        leave(Whole(network, scale, target), request)
    except Exception as error:
        traceback.print_exc()
        # By its kind and its first words, for what follows them might be of data.
        if wants_memory(error):
            refuse("retryable", "there is not enough memory for it", reason="memory")
        refuse("terminal", f"it ended with {type(error).__name__}")
    used = torch.cuda.get_device_name() if device.type == "cuda" else "cpu"
    say(versions={"python": platform.python_version(), "numpy": numpy.__version__, "torch": torch.__version__, "device": used})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
