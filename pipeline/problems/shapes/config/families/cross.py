"""An upright cross."""


def vertices(w, h, arm):
    """Return the vertices.

    `w` and `h` scale how far the arms reach sideways and upwards, `arm` how thick they are.
    """
    w, h, arm = w / 3, h / 3, arm / 3
    right, top, shoulder = arm + w, 2 * h + arm, h + arm
    lower = [(0, 0), (arm, 0), (arm, h), (right, h)]
    return [
        *lower,
        (right, shoulder),
        (arm, shoulder),
        (arm, top),
        (0, top),
        (0, shoulder),
        (-w, shoulder),
        (-w, h),
        (0, h),
    ]
