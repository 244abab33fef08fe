; The collector may run, and move objects, at any time: what was marked stays marked, and a write
; that was noted stays noted.
(take (ractor nil))
(defconst KEPT (list [1] {:a "b"} "text"))
(defconst CHANGED (list [1]))
(vector-push! (car CHANGED) 2)
(gc)
(gc)
(assert-equal '(A A) (list (state KEPT) (state (nth 1 KEPT))))
(assert-equal '([1] {:a "b"} "text") (take (ractor (gc) KEPT)))
(gc)
(let ((condition (assert-error 'isolation-error (take (ractor (gc) CHANGED)))))
  (assert-equal "CHANGED.car" (condition-path condition)))
(assert-equal 'C (state KEPT))

; Collections while graphs are being shared.
(define (busy n) (dotimes (i n) (list i i)) (gc) 'done)
(dotimes (round 3)
  (defconst LONG (make-list 5000 (list round)))
  (let ((reader (ractor (car (last-pair LONG)))) (worker (ractor (busy 100))))
    (busy 100)
    (assert-equal (list round) (take reader))
    (assert-equal 'done (take worker))
    (assert-equal 'C (state LONG))))
