; A procedure defined at top level can be called by every ractor. Its code is then shared, and
; frozen like any list.
(define (double n) (* 2 n))
(define (numbers) '(1 2 3))
(assert-equal '(2 4 6) (take (ractor (map double (numbers)))))
(assert-equal 'C (slot-state 'double))
(assert-error 'frozen-error (setcar (numbers) :changed))

; Main may have changed the code's literals before: then other ractors can't call it.
(define (letters) '(a b c))
(setcar (letters) 'z)
(assert-error 'isolation-error (take (ractor (letters))))
(assert-equal '(z b c) (letters))

; One that captures variables must be isolated first.
(define counter (let ((count 0)) (lambda () (set! count (+ count 1)))))
(counter)
(assert-equal 'needs-prepare
              (condition-cause (assert-error 'isolation-error (take (ractor counter)))))
(set! counter (make-shareable counter))
(assert-error 'frozen-error (counter))
(assert-error 'frozen-error (take (ractor (counter))))
