"""The operators: each makes the plan of its arguments and runs it."""

from fastup.functional._conv import conv1d as conv1d
from fastup.functional._conv import conv2d as conv2d
from fastup.functional._conv import conv3d as conv3d
from fastup.functional._conv import conv_transpose1d as conv_transpose1d
from fastup.functional._conv import conv_transpose2d as conv_transpose2d
from fastup.functional._conv import conv_transpose3d as conv_transpose3d
from fastup.functional._conv import subpixel_conv1d as subpixel_conv1d
from fastup.functional._conv import subpixel_conv2d as subpixel_conv2d
from fastup.functional._conv import subpixel_conv3d as subpixel_conv3d
from fastup.functional._interpolate import interpolate as interpolate
from fastup.functional._max_pool import max_pool1d as max_pool1d
from fastup.functional._max_pool import max_pool2d as max_pool2d
from fastup.functional._max_pool import max_pool3d as max_pool3d
from fastup.functional._max_pool import max_unpool1d as max_unpool1d
from fastup.functional._max_pool import max_unpool2d as max_unpool2d
from fastup.functional._max_pool import max_unpool3d as max_unpool3d
from fastup.functional._pixel_shuffle import pixel_shuffle as pixel_shuffle
from fastup.functional._pixel_shuffle import pixel_unshuffle as pixel_unshuffle
from fastup.functional._segmentation import upsample_argmax as upsample_argmax
from fastup.functional._segmentation import upsample_softmax_max as upsample_softmax_max
from fastup.functional._segmentation import upsample_threshold as upsample_threshold
from fastup.functional._zero_stuff import zero_stuff as zero_stuff
from fastup.functional.execution import run as run
from fastup.functional.weights import pack_weight as pack_weight
from fastup.functional.weights import subpixel_to_transposed as subpixel_to_transposed
from fastup.functional.weights import transposed_to_subpixel as transposed_to_subpixel
