; A parent of many serves them from its own loop, between its own work.
(define total 0)
(define (add number) (set! total (+ total number)))
(define code '(dotimes (i 10) (parent-call 'add 1)))
(define children (map (lambda (i) (spawn-child code)) '(1 2 3)))
(export-variable 'add)
(define steps 0)
(while (< total 30)
  (set! steps (+ steps 1))
  (serve-all))
(assert (< 0 steps))
(assert-equal '(0 0 0) (map wait-child children))
(assert-equal 30 total)
(assert (not (run-loop)))

; Other ractors run and collect meanwhile.
(define more (map (lambda (i) (spawn-child code)) '(1 2)))
(export-variable 'add)
(define collecting (ractor (dotimes (i 20) (gc)) 'done))
(assert-equal '(0 0) (map wait-child more))
(assert-equal 'done (take collecting))
(assert-equal 50 total)
(assert-error 'isolation-error (take (ractor (spawn-child 1))))

; A child has children.
(define family
  (spawn-child
    '(begin
       (define add (remote 'add))
       (define grandchild (spawn-child '(begin (define add (remote 'add)) (add 1) (add 2))))
       (export 'add add)
       (assert-equal 0 (wait-child grandchild)))))
(export-variable 'add)
(assert-equal 0 (wait-child family))
(assert-equal 53 total)
