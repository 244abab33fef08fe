; Depth and width cost memory and no stack; what is shared many times is copied once.
(define length-of-list (if (gc-stress?) 300 1000000))
(define long (make-list length-of-list 7))
(assert-equal length-of-list (length (copy long)))

(define depth (if (gc-stress?) 300 50000))
(define deep nil)
(dotimes (i depth) (set! deep (vector deep i)))
(define deep-copy (copy deep))
(let ((left deep) (right deep-copy) (levels 0))
  (while left
    (assert-equal (vector-ref left 1) (vector-ref right 1))
    (set! left (vector-ref left 0))
    (set! right (vector-ref right 0))
    (set! levels (+ levels 1)))
  (assert-equal depth levels)
  (assert-equal nil right))

; 2^60 paths.
(define paths nil)
(dotimes (i 60) (set! paths (cons paths paths)))
(define paths-copy (copy paths))
(while paths-copy
  (assert (eq? (car paths-copy) (cdr paths-copy)))
  (set! paths-copy (car paths-copy)))
