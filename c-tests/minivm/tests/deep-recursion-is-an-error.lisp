; minivm --ractor-stack=262144
; A recursion without end raises a condition, in main and in a ractor; the program goes on.
(define (endless n) (+ 1 (endless n)))
(if (not (gc-stress?))
    (assert-error 'depth-error (endless 1)))
(assert-error 'depth-error (take (ractor (endless 1))))
(assert-equal 2 (+ 1 1))
