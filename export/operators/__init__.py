"""Plans as nodes: one file per operator family, named as in ``fastup/plan`` and ``fastup/cpu``.

Each has ``append(graph, value, plan, lowering, ...) -> Value``; an exporter is that between an input and a model.
"""
