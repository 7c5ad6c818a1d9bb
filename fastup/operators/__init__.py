"""The operators: each is declared once, by a public function, and makes a plan of its arguments and runs it."""

from fastup import plan as _plan
from fastup.operators.convolution import conv1d as conv1d
from fastup.operators.convolution import conv2d as conv2d
from fastup.operators.convolution import conv3d as conv3d
from fastup.operators.convolution import conv_transpose1d as conv_transpose1d
from fastup.operators.convolution import conv_transpose2d as conv_transpose2d
from fastup.operators.convolution import conv_transpose3d as conv_transpose3d
from fastup.operators.convolution import subpixel_conv1d as subpixel_conv1d
from fastup.operators.convolution import subpixel_conv2d as subpixel_conv2d
from fastup.operators.convolution import subpixel_conv3d as subpixel_conv3d
from fastup.operators.execution import run as run
from fastup.operators.execution import warmup as warmup
from fastup.operators.identification import Match as Match
from fastup.operators.identification import identify as identify
from fastup.operators.interpolation import interpolate as interpolate
from fastup.operators.operator import OPERATORS as OPERATORS
from fastup.operators.pooling import max_pool1d as max_pool1d
from fastup.operators.pooling import max_pool2d as max_pool2d
from fastup.operators.pooling import max_pool3d as max_pool3d
from fastup.operators.pooling import max_unpool1d as max_unpool1d
from fastup.operators.pooling import max_unpool2d as max_unpool2d
from fastup.operators.pooling import max_unpool3d as max_unpool3d
from fastup.operators.preprocessing import preprocess as preprocess
from fastup.operators.resizing import Convention as Convention
from fastup.operators.resizing import conventions as conventions
from fastup.operators.resizing import resize as resize
from fastup.operators.segmentation import upsample_argmax as upsample_argmax
from fastup.operators.segmentation import upsample_softmax_max as upsample_softmax_max
from fastup.operators.segmentation import upsample_threshold as upsample_threshold
from fastup.operators.shuffle import pixel_shuffle as pixel_shuffle
from fastup.operators.shuffle import pixel_unshuffle as pixel_unshuffle
from fastup.operators.stuffing import zero_stuff as zero_stuff
from fastup.operators.weights import pack_weight as pack_weight
from fastup.operators.weights import subpixel_to_transposed as subpixel_to_transposed
from fastup.operators.weights import transposed_to_subpixel as transposed_to_subpixel

for _operator in OPERATORS.values():
    setattr(_plan, _operator.name, _operator.planner())
    _plan.__all__.append(_operator.name)
